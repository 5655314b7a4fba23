//! 3.2

use super::ok;
use crate::diagnosis::Rule;
use crate::shares::{NOBODY, STAYED};

const CGROUP: &str = "the cgroup";
const WHO: &str = "who is in it";
const IMPOSSIBLE: &str = "asked for a limit that does not exist";
const THEN: &str = "the caller is then";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-happened",
        when: |facts| ok(facts) && facts.get(CGROUP) == "not made",
        title: "nothing happened",
        words: "Your function returned `Ok`, and there is no new cgroup. There is no system call for it either: a cgroup is a \
                directory below /sys/fs/cgroup, and is made as one makes directories.",
        read: "man 7 cgroups, \"Creating cgroups and moving processes\"",
    },
    Rule {
        id: "not-made",
        when: |facts| !ok(facts) && facts.get(CGROUP) == "not made",
        title: "the cgroup is not there yet when you write to it",
        words: "The files of a cgroup come with its directory: mkdir makes one, and the kernel fills it in the same moment. \
                Before that there is nothing to write to: ENOENT.",
        read: "man 7 cgroups, \"Creating cgroups and moving processes\"",
    },
    Rule {
        id: "limits-missing",
        when: |facts| ok(facts) && !["", "max.depth 3, max.descendants 17"].contains(&facts.get("its limits")),
        title: "not every limit was set",
        words: "You were given two settings, and the cgroup does not have both. What is not written has no limit at all, and \
                nobody is told. Write the value of each setting to its file.",
        read: "the kernel's cgroup-v2.rst, \"Core Interface Files\"",
    },
    Rule {
        id: "nobody-in-it",
        when: |facts| ok(facts) && facts.get(WHO) == NOBODY,
        title: "a cgroup with limits, and nobody in it",
        words: "Making a cgroup moves nobody into it. A process stays in that of its parent until its number is written to the \
                `cgroup.procs` of another one; 0 stands for whoever writes.",
        read: "man 7 cgroups, \"Creating cgroups and moving processes\"",
    },
    Rule {
        id: "somebody-else-moved",
        when: |facts| ok(facts) && facts.get(WHO) != "the caller",
        title: "somebody else was moved",
        words: "Whoever is in the cgroup now, it is not (only) the process that called you. To move a parent from here is to \
                limit the runtime, and every container that it starts later. Write the number of this process, or 0: \
                the kernel knows who writes.",
        read: "the kernel's cgroup-v2.rst, cgroup.procs",
    },
    Rule {
        id: "failure-ignored",
        when: |facts| facts.get(IMPOSSIBLE) == "ok",
        title: "a limit could not be set, and you said that all is well",
        words: "The second time there was a file among the settings that no kernel has. Somebody asked for that limit and \
                relies on it. A container that starts without a limit looks like one with it, until the day it \
                matters. Hand the error on, and do not move in.",
        read: "the source of look::kernel::write_cgroup",
    },
    Rule {
        id: "moved-in-first",
        when: |facts| facts.get(IMPOSSIBLE) == "an error" && facts.get(THEN) != STAYED,
        title: "it moves in before the limits are there",
        words: "When a limit could not be set, you were already inside. And when all goes well, there are moments in which the \
                process is in a cgroup without limits: what it takes then stays its own, since a limit on memory drives \
                nobody out, and one on processes counts who is there. First the limits, then move in.",
        read: "the kernel's cgroup-v2.rst, \"Organize Once and Control\"",
    },
];
