//! 0.1

use crate::diagnosis::Rule;
use crate::looking::{CALLERS, OTHERS};

const ITSELF: &str = "about its own process";
const OTHER: &str = "about another process";
const NOBODY: &str = "about a process that does not exist";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "looks-at-itself",
        when: |facts| facts.get(OTHER) == CALLERS,
        title: "it reads the namespaces of whoever calls it",
        words: "Asked about another process, your function gave the numbers of its own. `/proc/self` is always the \
                process that looks there. The one you are asked about is `/proc/{pid}`.",
        read: "man 5 proc, /proc/self",
    },
    Rule {
        id: "inode-of-the-link",
        when: |facts| facts.get(ITSELF) == OTHERS,
        title: "these numbers are not those of namespaces",
        words: "Every kind is there, and every number is wrong. The usual reason: each entry in /proc/PID/ns is a \
                symlink, and a symlink has an inode number too. What you want is the number of the namespace behind \
                it. It is in the text of the link (`mnt:[4026531841]`, read with `read_link`), and it is the inode \
                that you find when you follow the link (`metadata`) and not when you look at the link itself \
                (`symlink_metadata`).",
        read: "man 7 namespaces, \"The /proc/pid/ns/ directory\"",
    },
    Rule {
        id: "kinds-missing",
        when: |facts| facts.get(ITSELF).starts_with("without"),
        title: "some kinds of namespaces are missing",
        words: "What you found is right, but the kernel knows more kinds than your list. Which ones there are has \
                changed over the years, so do not keep a list of your own: `Kind::ALL` has them, or read the \
                directory /proc/PID/ns.",
        read: "man 7 namespaces, \"Namespace types\"",
    },
    Rule {
        id: "panics-about-nobody",
        when: |facts| facts.get(NOBODY) == "a panic",
        title: "it panics about a process that does not exist",
        words: "A process can end between the moment you learn its number and the moment you look. That is daily life \
                in /proc and no reason to panic. Where you `unwrap()`, return the error: \
                `.map_err(|error| Error::io(\"readlink\", &link, &error))?`",
        read: "the source of look::Error",
    },
    Rule {
        id: "silent-about-nobody",
        when: |facts| facts.get(NOBODY).starts_with("ok"),
        title: "it is silent about a process that does not exist",
        words: "You return `Ok` for a process that is not there. Whoever calls you takes that for an answer: a process \
                in no namespace, which does not exist. Leave out a kind only when this kernel does not have it, and \
                how would you tell? The directory /proc/PID/ns is still there then. Every other failure is an error.",
        read: "man 7 namespaces, \"The /proc/pid/ns/ directory\"",
    },
];
