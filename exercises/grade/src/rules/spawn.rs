//! 2.1

use crate::diagnosis::Rule;
use crate::spawning::{NO_CHILD, NONE, THE_CHILD, WAITS, WOULD_BEGIN};

const NEW: &str = "the child's new namespaces";
const NUMBER: &str = "the child's number there";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "no-new-process",
        when: |facts| facts.get(NUMBER) == NO_CHILD,
        title: "no process was made: the caller ran the child's part itself",
        words: "`child()` is a function like any other, and whoever calls it runs it. To have it run by somebody else \
                there must be somebody else: clone3 makes a copy of this process, and comes back twice, once in each. \
                Only the copy calls `child()`.",
        read: "man 2 clone, man 2 fork",
    },
    Rule {
        id: "child-comes-back",
        when: |facts| facts.get("what follows the call is run by") == "caller and child",
        title: "the child came back from your function, and went on as a second caller",
        words: "After clone3 there are two processes in the middle of the same function, with the same variables and \
                the same way home. The child ran `child()`, then your function returned in it too, and now two \
                processes run the runtime's next line. The child must end where it is: `std::process::exit` with what \
                `child()` answered.",
        read: "man 2 fork; man 3 exit",
    },
    Rule {
        id: "waits-inside",
        when: |facts| facts.get("while the child runs") == WAITS,
        title: "it comes back only after the child's end",
        words: "Your function waits for the process that it has made. But the caller has work to do while a container \
                runs: map its ids, connect its network, copy its output, pass on Ctrl-C. Hand out the handle and let \
                the caller wait, with `Process::reap`, when it is ready to.",
        read: "man 2 pidfd_open; man 2 waitid",
    },
    Rule {
        id: "caller-moved",
        when: |facts| facts.get("the caller's namespaces").starts_with("changed"),
        title: "the caller has moved into the new namespaces as well",
        words: "unshare(2) moves the process that calls it, and that is the runtime. It cannot undo that: the second \
                container would start inside the first one's namespaces. (And of a PID namespace unshare changes only \
                where the *children* are born.) clone3 with the same flags leaves the caller where it is: only the new \
                process is born elsewhere.",
        read: "man 2 unshare; man 7 namespaces, \"The namespaces API\"",
    },
    Rule {
        id: "not-number-one",
        when: |facts| facts.get(NUMBER).ends_with(WOULD_BEGIN),
        title: "the child has asked for a PID namespace that it is not in",
        words: "A process never changes its number, so nobody can move into another PID namespace. unshare with \
                CLONE_NEWPID makes one, and only the *next* child is born there, as number 1. Your child called it and \
                stayed where it was. Give the flags to the call that makes the child, and it is number 1 from its \
                first moment.",
        read: "man 7 pid_namespaces; man 2 unshare, CLONE_NEWPID",
    },
    Rule {
        id: "flags-ignored",
        when: |facts| facts.get(NEW) == NONE,
        title: "the child shares every namespace with the caller",
        words: "This is a fork: a new process that sees all that its parent sees. Which namespaces it is to have for \
                itself is in `namespaces`, and clone3 is the one call that takes them along.",
        read: "man 2 clone, \"The flags mask\"",
    },
    Rule {
        id: "not-the-flags-asked-for",
        when: |facts| ![NONE, "uts ipc pid", "pid uts ipc", ""].contains(&facts.get(NEW)),
        title: "the child has other new namespaces than were asked for",
        words: "You were asked for uts, ipc and pid. Which ones a container gets is up to whoever starts it: with \
                --net=host it shares the machine's network, with --pid=host its processes. So do not choose: pass \
                `namespaces` on as it is.",
        read: "man 7 namespaces, \"Namespace types\"",
    },
    Rule {
        id: "handle-for-another",
        when: |facts| !["", THE_CHILD].contains(&facts.get("the handle stands for")),
        title: "the handle stands for another process",
        words: "A process has a number in each PID namespace it can be seen from. Inside the new one the child is \
                number 1. Out here, where the handle is used, it has another number, and number 1 is the init of the \
                host: a stop of your container would be sent to that. The number that counts is the one that clone3 \
                returns to the caller; and the pidfd that comes with it cannot be mistaken at all.",
        read: "man 7 pid_namespaces; man 2 clone, CLONE_PIDFD",
    },
    Rule {
        id: "status-lost",
        when: |facts| !["", "7"].contains(&facts.get("the child's status")),
        title: "what `child` answered is not the exit status",
        words: "`child()` answered 7, and the process ended with something else. `tinbox run image false; echo $?` would \
                say that all is well. The answer of `child()` is the status: hand it to exit.",
        read: "man 3 exit; man 2 waitid",
    },
    Rule {
        id: "cgroup-ignored",
        when: |facts| facts.get("asked to be born in a cgroup that is none").starts_with("ok"),
        title: "the cgroup that it was given makes no difference",
        words: "The second time you were given a descriptor for `cgroup` that is no cgroup, and it made a process all \
                the same: so it does not look at it. In the runtime that is a container without limits, and nobody \
                would notice. clone3 takes the descriptor along with the flags, and the kernel says EBADF to one that \
                is no cgroup.",
        read: "man 2 clone, CLONE_INTO_CGROUP",
    },
];
