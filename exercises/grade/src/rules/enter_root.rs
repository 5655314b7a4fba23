//! 1.3

use super::ok;
use crate::diagnosis::Rule;
use crate::places::{HOST_ROOT, NEW_ROOT, START};

const SHARED: &str = "still shared with the host";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-happened",
        when: |facts| ok(facts) && facts.get("root") == HOST_ROOT && facts.get("working directory") == START,
        title: "nothing happened",
        words: "Your function returned `Ok`, and its process is as it was. What a program prints about itself counts \
                for nothing here: the facts come from /proc/PID, where the kernel speaks.",
        read: "man 2 pivot_root",
    },
    Rule {
        id: "never-private",
        when: |facts| facts.get("returned") == "error: pivot_root EINVAL" && includes_root(facts.get(SHARED)),
        title: "pivot_root refuses while / is shared",
        words: "EINVAL has many causes; here it is propagation. The mounts of this process are still tied to the \
                host's: what is mounted in one turns up in the other. If pivot_root went through, the host would lose \
                its root, so the kernel refuses. You have a mount table of your own, now cut the tie as well: tell \
                the kernel that `/` and all mounts below are private, before you mount anything.",
        read: "man 7 mount_namespaces, \"SHARED SUBTREES\"; man 2 pivot_root, EINVAL",
    },
    Rule {
        id: "not-a-mount",
        when: |facts| ["error: pivot_root EBUSY", "error: pivot_root EINVAL"].contains(&facts.get("returned")),
        title: "pivot_root wants a mount, and was given a directory",
        words: "The new root is a directory on the same mount as the old one, and pivot_root swaps mounts. Any \
                directory becomes a mount when it is bound onto itself: mount(root, root) with MS_BIND. (If you have \
                that already: is put_old, the second argument, inside the new root?)",
        read: "man 2 pivot_root, NOTES and ERRORS",
    },
    Rule {
        id: "leaks-to-host",
        when: |facts| facts.get("did the host notice").starts_with("yes"),
        title: "your mounts reached the host",
        words: "Look at `mount` on the host: it has changed. A mount namespace starts as a copy in which every mount is \
                still tied to the original, and until that tie is cut, what you mount or unmount happens on both \
                sides. You cut it too late (or not everywhere): making all mounts private must be the first thing you \
                do.",
        read: "man 7 mount_namespaces, \"SHARED SUBTREES\"",
    },
    Rule {
        id: "only-a-chroot",
        when: |facts| {
            ok(facts) && facts.get("root") == NEW_ROOT && facts.get("old root") == "out of sight, but mounted"
        },
        title: "this is a chroot, and it was escaped from",
        words: "`/` looks right, but the host's tree is still mounted in this mount namespace, and the escape of \
                exercise 1.2 walked straight back to it. Moving where paths start is not enough: the old root must no \
                longer be mounted. That is what pivot_root is for: it makes the new root the root *mount*, and puts \
                the old one where you can unmount it.",
        read: "man 2 pivot_root",
    },
    Rule {
        id: "old-root-mounted",
        when: |facts| ok(facts) && facts.get("old root").starts_with("mounted"),
        title: "the old root is still mounted",
        words: "The new root is in its place, but pivot_root does not throw the old one away: it moves it to put_old, \
                and there the whole machine lies open to everybody inside. Unmount it. It is in use (by you, for one), \
                so a plain umount says EBUSY: MNT_DETACH takes it out of the tree at once.",
        read: "man 2 pivot_root, `pivot_root(\".\", \".\")`; man 2 umount, MNT_DETACH",
    },
    Rule {
        id: "cwd-left-behind",
        when: |facts| ok(facts) && facts.get("root") == NEW_ROOT && facts.get("working directory") != NEW_ROOT,
        title: "the working directory was left in the old root",
        words: "`/` is the new root and the old one is unmounted, but this process still stands in a directory of it, \
                and an unmounted tree lives on while somebody stands in it: `cat ../secret` reads the host's file. \
                pivot_root moves along only those who stood at the old root itself. Move your process explicitly.",
        read: "man 2 pivot_root, \"does not change the caller's current working directory\"",
    },
    Rule {
        id: "submounts-lost",
        when: |facts| ok(facts) && facts.get("mount below the new root") == "lost",
        title: "what was mounted below the new root is gone",
        words: "The new root has a mount in it, at /data, and inside only the empty directory under that mount is \
                left. A bind mount shows one file system; what is mounted further below comes along only if you say \
                so with one more flag. A container with volumes would lose its data.",
        read: "man 2 mount, MS_BIND and MS_REC",
    },
    Rule {
        id: "private-only-at-the-top",
        when: |facts| ok(facts) && facts.get(SHARED) != "nothing",
        title: "a mount below / is still tied to the host's",
        words: "You made `/` private, and only `/`: each mount has its own propagation, and the flag reaches the \
                mounts below only together with MS_REC. What is mounted below the ones named above, inside the \
                container, turns up on the host.",
        read: "man 2 mount, MS_REC; man 7 mount_namespaces, \"SHARED SUBTREES\"",
    },
];

/// Whether `/` itself is in a list of mounts.
fn includes_root(mounts: &str) -> bool {
    mounts.split(' ').any(|mount| mount == "/")
}
