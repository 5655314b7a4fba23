//! 8.3

use crate::confining::mask_rows as rows;
use crate::diagnosis::Rule;

const READABLE: &str = "can be read";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-happened",
        when: |facts| facts.get(rows::FILE) == READABLE && facts.get(rows::DIRECTORY) == READABLE,
        title: "nothing is hidden",
        words: "Your function returned `Ok`, and file and directory can be read as before. Something must lie on top of them: \
                in a mount table of its own, a process sees what was mounted last.",
        read: "man 2 mount",
    },
    Rule {
        id: "changes-the-image",
        when: |facts| facts.get(rows::IMAGE) != rows::AS_IT_WAS,
        title: "the image itself was changed",
        words: "The file is gone, or empty: not hidden, but destroyed, for every container of this image. And what is masked most \
                often are files of /proc and /sys, which nobody can remove. A mask lies on top, in this mount table \
                alone, and goes away with it.",
        read: "man 2 mount, MS_BIND",
    },
    Rule {
        id: "led-out",
        when: |facts| facts.get(rows::HOST).contains("/secret"),
        title: "a symlink of the image led you out to the host's files",
        words: "The image has a link, /kcore, that leads to /secret. You looked the path up as paths are looked up, and the kernel \
                followed the link from the *process's* root. This time it was a mask that landed on the host; with a \
                volume it would be the container's writing. A path of an image is opened through its `Root`, and what \
                is mounted on is the descriptor.",
        read: "man 2 openat2, RESOLVE_IN_ROOT and RESOLVE_NO_SYMLINKS; the source of chroot::inside",
    },
    Rule {
        id: "led-out-on-the-way",
        when: |facts| facts.get(rows::HOST).contains("/home/power"),
        title: "you looked at the end of the path, and the link was on the way",
        words: "You found that /kcore is a symlink, and stopped. But in /sys/power it is /sys that is one, and it led out to the \
                host. Any component can be a link; and one that is none when you look may be one when you mount. Only \
                the kernel can look and open in one step.",
        read: "man 2 openat2, RESOLVE_NO_SYMLINKS",
    },
    Rule {
        id: "link-followed",
        when: |facts| facts.get(rows::INSIDE) != rows::NO,
        title: "the mask lies on another file than was asked for",
        words: "You stayed inside the root, and that is most of it. But you followed a link there, and so the image has chosen \
                what you hide: the mask lies where the link leads, and when the image replaces /proc/kcore by a link, \
                the real one is open. `Root` has an open that refuses symlinks altogether.",
        read: "man 2 openat2, RESOLVE_NO_SYMLINKS",
    },
    Rule {
        id: "link-passed-over",
        when: |facts| facts.get(rows::LINK) == "ok" || facts.get(rows::BEHIND) == "ok",
        title: "a symlink is passed over in silence",
        words: "There was a link where a file was to be hidden, and you said that all is well. Nothing is hidden, though, and \
                whoever put the link there knew why. What is not there need not be hidden; what is there and cannot be \
                is an error, and the container does not start.",
        read: "man 2 openat2, ELOOP",
    },
    Rule {
        id: "nothing-there",
        when: |facts| facts.get(rows::NOTHING).starts_with("error"),
        title: "what is not there cannot be hidden, and need not be",
        words: "The list of what is masked is the same for every machine, and every kernel has only some of it: /proc/kcore, \
                /proc/timer_list, /sys/firmware. A container must start where one is missing: ENOENT is no error here.",
        read: "the OCI runtime specification, \"Masked Paths\"",
    },
    Rule {
        id: "only-files",
        when: |facts| facts.get(rows::DIRECTORY).starts_with("error"),
        title: "a directory cannot be hidden under a file",
        words: "Files are mounted on files and directories on directories, or the kernel says ENOTDIR. What is there decides: \
                look at what you have opened (fstat), and put an empty directory over a directory. A tmpfs is one.",
        read: "man 2 mount, ENOTDIR",
    },
    Rule {
        id: "only-directories",
        when: |facts| facts.get(rows::FILE).starts_with("error"),
        title: "a file cannot be hidden under a directory",
        words: "Files are mounted on files and directories on directories, or the kernel says ENOTDIR. A file is hidden by another \
                one, bound over it. Which file can everybody read, and has never anything in it?",
        read: "man 2 mount, MS_BIND and ENOTDIR",
    },
    Rule {
        id: "can-be-written",
        when: |facts| facts.get(rows::DIRECTORY) == rows::WRITABLE,
        title: "the mask over the directory can be written to",
        words: "It hides what is below, and it is a fresh tmpfs in which anybody may put files: memory that no one counts, at a \
                path that programs trust. (A firmware loader, for one.) Mount it read-only.",
        read: "man 2 mount, MS_RDONLY",
    },
];
