//! 8.1

use super::ok;
use crate::confining::privilege_rows as rows;
use crate::diagnosis::Rule;

const RETURNED: &str = "returned";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-happened",
        when: |facts| ok(facts) && facts.get(rows::USER) == "0" && many(facts.get(rows::MOST)),
        title: "nothing happened",
        words: "Your function returned `Ok`, and its process is root with all of root's powers. What it prints about itself \
                counts for nothing here: the facts come from /proc/PID/status.",
        read: "man 7 credentials; man 7 capabilities",
    },
    Rule {
        id: "capabilities-before-ids",
        when: |facts| {
            let refused = ["error: setgroups EPERM", "error: setresgid EPERM", "error: setresuid EPERM"];
            refused.contains(&facts.get(RETURNED)) && facts.get(rows::USER) == "0"
        },
        title: "the capabilities were given away before the ids were changed",
        words: "Your process is still user 0, and may not change its ids all the same: it is not the number that counts but \
                CAP_SETGID and CAP_SETUID, and neither is in `keep`. As soon as capset(2) has reduced the effective set \
                they are gone. First the ids, then the effective set.",
        read: "man 7 capabilities, CAP_SETGID and CAP_SETUID; man 2 capset",
    },
    Rule {
        id: "user-before-group",
        when: |facts| ["error: setgroups EPERM", "error: setresgid EPERM"].contains(&facts.get(RETURNED)),
        title: "the power to change groups went away with the user",
        words: "You changed the user first. In that moment the kernel takes every capability from a process that was root and \
                is not any more, CAP_SETGID among them, and the groups are as they were: those of root. So the groups \
                come first, the user after them.",
        read: "man 7 capabilities, \"Effect of user ID changes on capabilities\"",
    },
    Rule {
        id: "bounding-too-late",
        when: |facts| facts.get(RETURNED) == "error: prctl EPERM",
        title: "nothing can be taken from the bounding set any more",
        words: "To take a capability out of the bounding set needs one itself, CAP_SETPCAP, and your process has just given it \
                away (or lost it with its user). It sounds the wrong way round: the last word about what can ever be \
                gained must be said first, while there is power to say it.",
        read: "man 2 prctl, PR_CAPBSET_DROP; man 7 capabilities, \"Capability bounding set\"",
    },
    Rule {
        id: "nothing-left-to-keep",
        when: |facts| facts.get(RETURNED) == "error: capset EPERM",
        title: "capset cannot give what the process no longer has",
        words: "After the change to user 1000 the process has no capabilities, and none can be had back: capset can only keep \
                or drop. That is right for an ordinary user, in a container as on the host: only root holds what is in \
                `keep`. For others it is the most that a program could get, and that is the bounding set.",
        read: "man 7 capabilities, \"Effect of user ID changes on capabilities\"; man 2 capset",
    },
    Rule {
        id: "way-back",
        when: |facts| ok(facts) && facts.get(rows::USER) != "1000",
        title: "there is a way back to root",
        words: "A process has three user ids. Effective is who it is now; real and saved are who it may become again, with no \
                power needed for it. One of yours is still 0: `setuid(0)` in the container, and all was for nothing. \
                Set all three, with one call that says so.",
        read: "man 2 setresuid; man 7 credentials",
    },
    Rule {
        id: "group-forgotten",
        when: |facts| ok(facts) && facts.get(rows::GROUP) != "100",
        title: "the group is still root's",
        words: "The user has changed and the group has not, or not all three of its ids. Group 0 owns many files of a system, \
                and can write to some of them. It is changed like the user, and before the user.",
        read: "man 2 setresgid",
    },
    Rule {
        id: "groups-left",
        when: |facts| ok(facts) && facts.get(rows::GROUPS) != "27 44",
        title: "the supplementary groups are not those that were asked for",
        words: "Besides its group a process is in any number of others, inherited from whoever started the runtime: adm, disk, \
                docker. Neither setresuid nor setresgid touches them, and whoever is in group disk reads the machine's \
                disk. They have a call of their own.",
        read: "man 2 setgroups",
    },
    Rule {
        id: "roots-powers-left",
        when: |facts| many(facts.get(rows::ROOT_MAY)),
        title: "root in the container has all of root's powers",
        words: "The ordinary user lost its powers with the change of user. Root does not change user, so nobody took them. That \
                is the case that matters: most images run as root. What it may keep must be set explicitly, effective \
                and permitted, with capset.",
        read: "man 7 capabilities, \"Thread capability sets\"; man 2 capset",
    },
    Rule {
        id: "bounding-left",
        when: |facts| many(facts.get(rows::MOST)) || many(facts.get(rows::ROOT_MOST)),
        title: "a set-user-ID program can have everything back",
        words: "This process has few powers or none, but the next execve works them out anew: root's programs, and programs of \
                root with the set-user-ID bit, get whatever the *bounding set* has. And that is still full. It can only \
                be made smaller, by one prctl for each capability.",
        read: "man 7 capabilities, \"Capability bounding set\"",
    },
    Rule {
        id: "passed-on",
        when: |facts| [rows::PASSES_ON, rows::ROOT_PASSES_ON].iter().any(|row| !["none", ""].contains(&facts.get(row))),
        title: "capabilities are left for the next program to inherit",
        words: "Two more sets are about execve: what is *inheritable*, and *ambient*, goes along into the next program. Whoever \
                started your process may have left something there. Docker did once, and a file with the right \
                attribute in an image could pick it up (CVE-2022-24769). A container starts with none.",
        read: "man 7 capabilities, \"Thread capability sets\" and \"Transformation of capabilities during execve()\"",
    },
    Rule {
        id: "no-new-privs-missing",
        when: |facts| facts.get(rows::NO_NEW) == "no",
        title: "set-user-ID programs still work in there",
        words: "You were asked for no_new_privs, and it is not set. Without it `sudo`, `su` and every other set-user-ID file of \
                an image makes root of an ordinary user, with all that the bounding set has. The bit stays for ever, \
                and for all children.",
        read: "man 2 prctl, PR_SET_NO_NEW_PRIVS; the kernel's no_new_privs.rst",
    },
    Rule {
        id: "no-new-privs-unasked",
        when: |facts| facts.get(rows::ROOT_NO_NEW) == "yes",
        title: "no_new_privs is set where nobody asked for it",
        words: "`Privileges::no_new_privs` was false: somebody has an image in which `sudo` or `ping` is to work, and said so \
                (`--security-opt no-new-privileges=false`). What is strict by default must still be possible to open.",
        read: "the kernel's no_new_privs.rst",
    },
    Rule {
        id: "groups-not-to-change",
        when: |facts| {
            !["", "ok"].contains(&facts.get(rows::AS_ROOT)) || !["", "4 24"].contains(&facts.get(rows::ROOT_GROUPS))
        },
        title: "groups were set where they may not be",
        words: "`Privileges::may_set_groups` was false. In the user namespace of an ordinary user setgroups is denied for good: \
                leaving a group could open what the group is there to forbid. There the call fails, and with it every \
                container of every user without root.",
        read: "man 7 user_namespaces, \"The /proc/pid/setgroups file\"",
    },
];

/// Whether these are not a few chosen capabilities.
fn many(set: &str) -> bool {
    set.contains(" of them")
}
