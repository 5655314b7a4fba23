//! 2.3

use crate::diagnosis::Rule;
use crate::reaping::{ASKED, NOTHING, WAITS};

const RUNS: &str = ASKED[0].1;
const LEFT_THEN: &str = ASKED[0].2;
const ENDED: &str = ASKED[1].1;
const LEFT_AFTER: &str = ASKED[1].2;
const KILLED: &str = ASKED[2].1;
const NOBODY: &str = ASKED[3].1;

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "it-waits",
        when: |facts| facts.get(RUNS) == WAITS,
        title: "it waits for a child that runs",
        words: "Two children had ended, and your function went on to wait for one that may run for days. In that time the \
                init hears nothing: no SIGTERM from `tinbox stop`, no other child. It is to take what is there and come \
                back. waitpid has a flag for that, and then says `StillAlive` where it would have waited.",
        read: "man 2 waitpid, WNOHANG",
    },
    Rule {
        id: "status-of-another",
        when: |facts| ![NOTHING, ""].contains(&facts.get(RUNS)) && !facts.get(RUNS).starts_with("error"),
        title: "it takes the end of any child for the end of main",
        words: "Main still runs, and you have answered with the status of somebody else. An init ends when it has the \
                status of main, and the kernel then kills everybody in the namespace: the first helper that ends would \
                take the whole container with it. Each end comes with the number of whoever ended: compare it.",
        read: "man 2 waitpid, RETURN VALUE",
    },
    Rule {
        id: "only-main",
        when: |facts| facts.get(LEFT_THEN) == "2",
        title: "only main is looked for, and the others stay as zombies",
        words: "You asked for the end of one child. But an init inherits every orphan of its namespace, and whoever \
                nobody collects stays in the process table for ever, until there is no number left for a new process. \
                Ask waitpid for *any* child, and keep what it says about main.",
        read: "man 2 waitpid, NOTES; man 7 pid_namespaces",
    },
    Rule {
        id: "one-at-a-time",
        when: |facts| facts.get(LEFT_THEN) == "1",
        title: "it collects one child, where two had ended",
        words: "You are called once for each SIGCHLD, but signals are not counted: five children that end at the same \
                moment make one signal. So one call must go on until nobody is left to collect. What does waitpid \
                say then, when it is told not to wait?",
        read: "man 7 signal, \"Queueing and delivery semantics\"",
    },
    Rule {
        id: "stops-at-main",
        when: |facts| !["0", ""].contains(&facts.get(LEFT_AFTER)),
        title: "it stops at main, and whoever ended at the same time stays",
        words: "You have found what you looked for, and come back at once. The others that had ended are still there, \
                and if the init goes on for a while (it may have more to do), so do they. Remember the status, and go \
                on until nobody is left.",
        read: "man 2 waitpid, NOTES",
    },
    Rule {
        id: "status-forgotten",
        when: |facts| facts.get(ENDED) == NOTHING,
        title: "main was collected, and its status is lost",
        words: "Main has ended with 3, and your function collected it and answered `None`. There is no second chance: \
                the kernel tells an end once. So the init would wait for main for ever. Keep the status in a variable \
                when it comes, and answer with it whatever comes after.",
        read: "man 2 waitpid",
    },
    Rule {
        id: "signal-not-told",
        when: |facts| !["137", ""].contains(&facts.get(KILLED)),
        title: "an end by a signal does not give 128 + its number",
        words: "Main was killed by signal 9, and has no exit status of its own. By custom it is 128 + 9 = 137, and people \
                and scripts know it: 137 is how an out-of-memory kill looks. There are two ways to end, and WaitStatus \
                has a variant for each. (`shell_status` knows both.)",
        read: "man 2 waitpid, WIFSIGNALED; man 1 bash, \"EXIT STATUS\"",
    },
    Rule {
        id: "nobody-left-is-no-error",
        when: |facts| facts.get(NOBODY).starts_with("error"),
        title: "it takes it for an error that there are no children",
        words: "waitpid answers ECHILD when there is no child, ended or not. For you that is good news: all are \
                collected. It is the usual end of the loop when main was the last one.",
        read: "man 2 waitpid, ECHILD",
    },
];
