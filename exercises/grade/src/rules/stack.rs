//! 4.2

use super::ok;
use crate::diagnosis::Rule;
use crate::layers::stack_rows as rows;

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-happened",
        when: |facts| ok(facts) && facts.get(rows::MOUNTED) == rows::NOTHING && facts.get(rows::ALL) != rows::THERE,
        title: "nothing is mounted",
        words: "Your function returned `Ok`, and on the target is what was there before: an empty directory. The mount table of \
                your process has no line for it. mount(2) puts one there; the type of the file system is `overlay`.",
        read: "man 2 mount; the kernel's overlayfs.rst",
    },
    Rule {
        id: "copied",
        when: |facts| ok(facts) && facts.get(rows::MOUNTED) == rows::NOTHING,
        title: "the layers were copied, not stacked",
        words: "All files are in the target, and nothing is mounted there. With an image of a gigabyte that is a gigabyte for each \
                container, and a start that takes seconds. (Tinbox does it where there is no overlay, and says so.) \
                overlayfs shows the layers where they are, and copies a file when it is first written to.",
        read: "the kernel's overlayfs.rst, \"Upper and Lower\"",
    },
    Rule {
        id: "separated-by-commas",
        when: |facts| facts.get("returned") == "error: mount EINVAL",
        title: "the kernel does not understand the options",
        words: "EINVAL from mount(2) means here that an option is none. Options are separated by commas: \
                `lowerdir=…,upperdir=…,workdir=…`. The layers *within* lowerdir are separated by colons, or everything after the \
                first is taken for the next option. (`dmesg` says which word overlayfs did not like.)",
        read: "the kernel's overlayfs.rst, \"Multiple lower layers\"",
    },
    Rule {
        id: "layers-not-found",
        when: |facts| facts.get("returned") == "error: mount ENOENT" && facts.get(rows::OPTIONS).contains(r"\:"),
        title: "the kernel does not find a directory of yours",
        words: "ENOENT from mount(2): a directory among the options, or the target, does not exist under the name that the kernel \
                read. Was it put together and then escaped? An escaped colon is a part of a name, so all the layers became one \
                long name. Escape each path by itself, then join them with colons.",
        read: "the source of images::escape; the kernel's overlayfs.rst, \"Multiple lower layers\"",
    },
    Rule {
        id: "grown-together",
        when: |facts| facts.get("returned") == "error: mount ENOENT",
        title: "the kernel does not find a directory of yours",
        words: "ENOENT from mount(2): a directory among the options, or the target, does not exist under the name that the kernel \
                read. Look at the options in the error, name by name. If two words have grown together \
                (`/srv/workuserxattr`), a comma is missing.",
        read: "man 2 mount, \"ERRORS\"",
    },
    Rule {
        id: "one-mount-each",
        when: |facts| facts.get(rows::MOUNTED).contains("mounts"),
        title: "there is a mount for each layer",
        words: "A mount covers what was there before: of several at one place the last is seen, and nothing shines through. \
                overlayfs takes all the layers in one mount, in `lowerdir`, separated by colons.",
        read: "the kernel's overlayfs.rst, \"Multiple lower layers\"",
    },
    Rule {
        id: "not-an-overlay",
        when: |facts| ok(facts) && facts.get(rows::MOUNTED) != rows::OVERLAY,
        title: "what is mounted there is no overlay",
        words: "A bind mount shows one directory at a second place. What is written there is written to that directory: here to a \
                layer of the image, from which every container is made. The file system that shows several as one, and \
                keeps changes apart, is `overlay`.",
        read: "man 2 mount, MS_BIND; the kernel's overlayfs.rst",
    },
    Rule {
        id: "read-only",
        when: |facts| facts.get(rows::WRITTEN) == "error: write EROFS",
        title: "the stack cannot be written to",
        words: "The layers are right, but without `upperdir` overlayfs does not know where to put changes, and so allows none. A \
                container wants to write: give it its upper directory, and the work directory that goes with it.",
        read: "the kernel's overlayfs.rst, \"Upper and Lower\"",
    },
    Rule {
        id: "a-layer-is-missing",
        when: |facts| ok(facts) && facts.get(rows::ALL) != rows::THERE,
        title: "not all layers are in the stack",
        words: "Files of some layers are not to be seen. The image is all of them: `lowerdir` takes a list, with colons between.",
        read: "the kernel's overlayfs.rst, \"Multiple lower layers\"",
    },
    Rule {
        id: "upside-down",
        when: |facts| facts.get(rows::COMMON) == "the bottom layer's",
        title: "the stack is upside down",
        words: "All layers are there, but where they have the same file, the bottom one wins, and what the top one deletes is back. \
                An image lists its layers from the bottom up, in the order in which they were made. overlayfs reads \
                `lowerdir` like a pile that is seen from above: the first is on top.",
        read: "the kernel's overlayfs.rst, \"Multiple lower layers\"",
    },
    Rule {
        id: "upper-and-work-swapped",
        when: |facts| facts.get(rows::WRITTEN) == rows::TO_WORK,
        title: "the upper directory and the work directory have changed places",
        words: "It mounts, and it works, and everything that the container writes is in the directory that nobody keeps: a commit \
                finds no changes. `upperdir` is where changes go; `workdir` is where overlayfs prepares them, so that they \
                appear there in one step.",
        read: "the kernel's overlayfs.rst, \"Upper and Lower\"",
    },
    Rule {
        id: "options-forgotten",
        when: |facts| facts.get(rows::MORE) == "none",
        title: "the options in `more` are missing",
        words: "The stack is right, but the kernel knows nothing of `overlay.more`. One of them is `userxattr`: without it an \
                ordinary user's overlay cannot note that a directory was replaced, and deleted files come back. Put a comma \
                before each, after your own options.",
        read: "the kernel's overlayfs.rst, \"User xattr\"",
    },
    Rule {
        id: "one-option-only",
        when: |facts| ok(facts) && facts.get(rows::MORE) != "userxattr volatile",
        title: "only some of the options in `more` are there",
        words: "`overlay.more` is a list; the kernel has heard of one of them. All of them belong behind your own options, each \
                with a comma before it.",
        read: "the kernel's overlayfs.rst",
    },
    Rule {
        id: "flags-forgotten",
        when: |facts| ok(facts) && facts.get(rows::FLAGS) != "nosuid nodev",
        title: "the flags of the mount are missing",
        words: "`overlay.flags` asks for nosuid and nodev, and the mount has something else. These are no options of overlayfs \
                but of every mount, and so they are an argument of mount(2) of their own. Without nodev a device node in an \
                image is a device.",
        read: "man 2 mount, \"Additional mount flags\"",
    },
    Rule {
        id: "not-escaped",
        when: |facts| facts.get(rows::ODD).starts_with("error"),
        title: "a comma, a colon or a backslash in a path breaks it",
        words: "Commas separate options, and colons separate layers; in a name they must not. Nobody calls a directory so? \
                A user may, for TINBOX_ROOT; and if somebody else chooses the name, a comma is enough to add options of theirs. \
                A backslash before each such character (and before each backslash) takes its meaning away: `escape` does it.",
        read: "the source of images::escape",
    },
    Rule {
        id: "target-made",
        when: |facts| facts.get(rows::NOWHERE) == rows::MADE,
        title: "a target that is not there is made",
        words: "You were given a path where nothing is, and made a directory there. Where a container's root belongs is known to \
                whoever calls you. If it is not there, something is wrong, and a stack in a place where nobody looks would hide it. \
                mount(2) says ENOENT by itself: hand it on.",
        read: "man 2 mount, \"ERRORS\"",
    },
    Rule {
        id: "failure-is-silent",
        when: |facts| facts.get(rows::NOWHERE) == "ok",
        title: "a mount that failed is passed over",
        words: "The target was not there, mount(2) said ENOENT, and you said `Ok`. The runtime goes on and starts the container \
                in an empty directory. Return what the call returns.",
        read: "man 2 mount, \"Return value\"",
    },
];
