//! 1.2

use subject::host::START_INSIDE;

use super::ok;
use crate::diagnosis::Rule;
use crate::places::{HOST_ROOT, NEW_ROOT, START};

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-happened",
        when: |facts| ok(facts) && facts.get("root") == NEW_ROOT && facts.get("working directory") == START,
        title: "nothing happened",
        words: "Your function returned `Ok`, and its process stands where it stood, in the same root. What it prints \
                about that counts for nothing: the facts come from /proc/PID, where the kernel speaks.",
        read: "man 2 chroot: \"This call does not change the current working directory\"",
    },
    Rule {
        id: "root-left-at-the-door",
        when: |facts| ok(facts) && facts.get("working directory") == HOST_ROOT && facts.get("root") != HOST_ROOT,
        title: "the process is outside, but / is not",
        words: "You are out: the working directory is the top of the host. But `/` is still the directory to which you \
                moved the root, so the first program that uses an absolute path is inside again. One more call makes \
                the place where you stand the root.",
        read: "man 2 chroot",
    },
    Rule {
        id: "still-imprisoned",
        when: |facts| ok(facts) && facts.get("root") == NEW_ROOT && facts.get("working directory") == NEW_ROOT,
        title: "`..` stopped at the root, as it should",
        words: "You walked up and came to the root you were locked into. There `..` leads back to itself: that is the \
                one thing chroot does. But the kernel compares only with the process's *own* root. If you stood \
                outside of your own root, the walk would never meet it. You may move your root, and chroot does not \
                move you.",
        read: "man 2 chroot, NOTES; man 7 path_resolution",
    },
    Rule {
        id: "went-through-the-door",
        when: |facts| ok(facts) && in_the_door(facts.get("root")) && in_the_door(facts.get("working directory")),
        title: "you followed your root into the new directory",
        words: "You moved the root down, which left you standing outside it, and then walked in yourself. Now `..` \
                stops there. The whole trick is in exercise 1.1 the other way round: what you had to do there after \
                the chroot is what you must not do here.",
        read: "man 2 chroot: \"This call does not change the current working directory\"",
    },
    Rule {
        id: "not-far-enough",
        when: |facts| ok(facts) && facts.get("root").ends_with(" in the new root"),
        title: "the walk up ended too early",
        words: "You moved the root down, stayed outside and walked up: right so far. But nobody knows how deep below the \
                top a prison is. Walk until `..` leads nowhere any more: `is_top()` in your file tells.",
        read: "man 7 path_resolution",
    },
];

/// Whether this is below the directory where the process started.
fn in_the_door(place: &str) -> bool {
    place.starts_with(&format!("{START_INSIDE}/"))
}
