//! 1.1

use super::ok;
use crate::diagnosis::Rule;
use crate::places::{HOST_ROOT, NEW_ROOT, START};

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-happened",
        when: |facts| ok(facts) && facts.get("root") == HOST_ROOT && facts.get("working directory") == START,
        title: "nothing happened",
        words: "Your function returned `Ok`, and its process is as it was. What a program prints about itself counts \
                for nothing here: the facts come from /proc/PID, where the kernel speaks. Which call changes the root \
                of a process?",
        read: "man 2 chroot",
    },
    Rule {
        id: "no-chroot",
        when: |facts| ok(facts) && facts.get("root") == HOST_ROOT,
        title: "it went there, but / is still the host's",
        words: "chdir(2) moves where relative paths start: `ls` shows the new root, `ls /` shows the machine. Absolute \
                paths start at another place, and another call moves that one.",
        read: "man 2 chroot; man 7 path_resolution",
    },
    Rule {
        id: "old-path-inside",
        when: |facts| facts.get("returned") == "error: chdir ENOENT" && facts.get("root") == NEW_ROOT,
        title: "the path of the root leads nowhere once you are inside",
        words: "chroot worked, and then chdir did not find the directory. From the moment of the chroot every absolute \
                path starts at the new root, the one in `root` too: it would have to exist once more inside. By what \
                path do you reach the new root now?",
        read: "man 7 path_resolution",
    },
    Rule {
        id: "pivoted",
        when: |facts| facts.get("is / a mount").starts_with("yes: the new root"),
        title: "that is more than a chroot",
        words: "The new root is a mount now, and the mount table has changed. Well done, but it is exercise 1.3. Here \
                the naive way is asked for, the one with a hole in it, because the next exercise is to climb out \
                through that hole. It takes two calls.",
        read: "man 2 chroot",
    },
    Rule {
        id: "chdir-before-chroot",
        when: |facts| facts.get("root") == NEW_ROOT && facts.get("working directory") == HOST_ROOT,
        title: "the working directory is the host's root",
        words: "Both calls are there, in the wrong order. When you said `chdir(\"/\")`, `/` was still the host's root, \
                and there the process still stands, outside its own root. `..` and every relative path lead through \
                the whole machine.",
        read: "man 2 chroot: \"This call does not change the current working directory\"",
    },
    Rule {
        id: "cwd-left-behind",
        when: |facts| facts.get("root") == NEW_ROOT && facts.get("working directory") == START,
        title: "the working directory was left outside",
        words: "The root is right, but chroot(2) changes nothing else, and the process still stands in a directory of \
                the host. It need not even break out: `cat ../secret` reads the host's file. After the root has \
                moved, move the process too.",
        read: "man 2 chroot: \"This call does not change the current working directory\"",
    },
];
