//! 2.2

use super::ok;
use crate::diagnosis::Rule;
use crate::spawning::{LEFT_OUT, WAITS};

const CHILDS: &str = "the child's namespaces";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "own-user-namespace",
        when: |facts| facts.get("returned") == "error: setns EINVAL",
        title: "setns refuses the user namespace that you are in already",
        words: "EINVAL has several causes; here it is the user namespace. That process is in the same one as you, and \
                entering the user namespace one is in is refused, because it would hand back capabilities that were \
                given away. So look first: `namespaces_of` gives the numbers of both processes, and only kinds whose \
                numbers differ need to be entered. (`flag` makes the flag of a kind.)",
        read: "man 2 setns, EINVAL; man 7 user_namespaces",
    },
    Rule {
        id: "path-leads-nowhere",
        when: |facts| facts.get("returned").starts_with("error") && facts.get("returned").ends_with("ENOENT"),
        title: "you moved, and your next path led nowhere",
        words: "Entering a mount namespace changes what every path means from then on, `/proc/PID/ns/…` too: this is \
                the other process's /proc now, in which it has another number. Open all that you need before you move; \
                or use one descriptor for all of it: setns takes a pidfd, with a flag for each kind, and moves you in \
                one call.",
        read: "man 2 setns, \"fd is a PID file descriptor\"",
    },
    Rule {
        id: "no-fork",
        when: |facts| facts.get("the handle stands for") == "the caller itself",
        title: "nobody was born into the PID namespace",
        words: "You entered, and then ran `child()` in the same process. That is inside the other's mounts and network, \
                but its number is still one of the outside, and `ps` inside does not list it: a process never changes \
                its PID namespace. setns says only where its *children* will be born. So after entering, make one: \
                `spawn` is there.",
        read: "man 2 setns, \"PID namespaces\"; man 7 pid_namespaces",
    },
    Rule {
        id: "entered-after-birth",
        when: |facts| ok(facts) && facts.get(CHILDS) == "still the caller's: pid",
        title: "the child entered when it was already born",
        words: "It is in every namespace of the other process but one. A process is born into its PID namespace and \
                never leaves it; entering one means that the children to come are born there. Your child entered after \
                it was made, too late for itself. Turn it round: enter first, then make the child.",
        read: "man 2 setns, \"PID namespaces\"; man 7 pid_namespaces",
    },
    Rule {
        id: "kinds-forgotten",
        when: |facts| ok(facts) && facts.get(CHILDS).starts_with("still the caller's: "),
        title: "some of its namespaces were not entered",
        words: "A shell in a container that has the machine's host name, or its shared memory, or its cgroups in view, \
                is half outside. Which kinds there are, and that there are more with every few years, you need not \
                know: ask `namespaces_of` about both processes, and enter what differs.",
        read: "man 7 namespaces, \"Namespace types\"",
    },
    Rule {
        id: "new-instead-of-theirs",
        when: |facts| ok(facts) && facts.get(CHILDS).starts_with("new ones"),
        title: "these are new namespaces, not those of the process that was named",
        words: "Your child is alone in namespaces that did not exist before. That is a second container beside the first \
                one, not a way into it. clone3 and unshare make new ones; the call that goes to existing ones takes a \
                descriptor that says whose.",
        read: "man 7 namespaces, \"The namespaces API\"; man 2 setns",
    },
    Rule {
        id: "waits-inside",
        when: |facts| facts.get("while the child runs") == WAITS,
        title: "it comes back only after the child's end",
        words: "Your function waits for the process that it has made. But `tinbox exec` has to copy its input and \
                output while it runs. Hand out the handle and let the caller wait, with `Process::reap`, when it is \
                ready to.",
        read: "man 2 waitid",
    },
    Rule {
        id: "user-namespace-left-out",
        when: |facts| facts.get("one with a user namespace of its own") == LEFT_OUT,
        title: "a user namespace of its own is not entered",
        words: "The first process shared your user namespace, and you entered all that it had. Another one, as every container \
                of an ordinary user, has one of its own, and there your child is still the user of the outside: root of \
                the machine inside a container that was made to have none. A list of kinds cannot be right for both. Ask \
                which differ.",
        read: "man 7 user_namespaces; man 2 setns",
    },
];
