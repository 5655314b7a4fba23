//! 8.2

use crate::confining::filter_rows::{self as rows, EPERM, KILLS, PASSES};
use crate::diagnosis::Rule;

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "not-taken",
        when: |facts| {
            let all = [rows::FIRST, rows::LAST, rows::OTHERS, rows::LONG_LAST, rows::LONG_OTHERS, rows::EMPTY];
            all.iter().any(|row| facts.get(row).contains("no filter"))
        },
        title: "the kernel does not take this filter",
        words: "There is a way through it that leads behind the last instruction. The kernel follows every way before it \
                installs a filter, and says EINVAL. Count once more: a jump says how many instructions are *skipped*, 0 \
                is the very next one. And does a call that is on no list come to an answer?",
        read: "the kernel's networking/filter.rst; man 2 seccomp, EINVAL",
    },
    Rule {
        id: "tables-swapped",
        when: |facts| facts.get(rows::FIRST).starts_with("kills") && facts.get(rows::TABLE) == PASSES,
        title: "the two ways of the first comparison are swapped",
        words: "Calls of the right table kill, and those of the 32-bit table pass: just the other way round. The first of the \
                two numbers of `jump_if_equal` says how many instructions are skipped if the table *is* the right one, \
                the second how many if it is not. Which of the two is to land on `KillProcess`?",
        read: "the source of sandbox::seccomp::bpf::jump_if_equal",
    },
    Rule {
        id: "everything-passes",
        when: |facts| facts.get(rows::FIRST) == PASSES && facts.get(rows::OTHERS) == PASSES,
        title: "every call passes",
        words: "Calls that are on no list pass like those that are. Look at the first comparison, and go both ways with your \
                finger: where does it go when the number is equal, and where when it is not? The first number after \
                the value is for yes.",
        read: "the source of sandbox::seccomp::bpf::jump_if_equal",
    },
    Rule {
        id: "upside-down",
        when: |facts| facts.get(rows::FIRST) != PASSES && facts.get(rows::OTHERS) == PASSES,
        title: "the list of what is allowed is refused, and all else passes",
        words: "Answers are the wrong way round. It would be a mistake as a list of what is forbidden too: every new kernel \
                brings calls that are not on it. What is not named is refused; that is what `allowed` is for.",
        read: "the kernel's userspace-api/seccomp_filter.rst, \"Pitfalls\"",
    },
    Rule {
        id: "number-not-loaded",
        when: |facts| [rows::FIRST, rows::LAST, rows::OTHERS].iter().all(|row| facts.get(row) == EPERM),
        title: "no number is ever recognised",
        words: "Every call is refused, also those on the list. A filter has one register, and a comparison compares what is in \
                it: after you have looked at the table, that is still the table. Load the number before you compare \
                numbers. (If you do: where does your jump land when the number is equal?) Behind this filter a process \
                may not even exit, so that it ends in a crash.",
        read: "the kernel's networking/filter.rst, \"BPF engine and instruction set\"",
    },
    Rule {
        id: "kills-instead",
        when: |facts| facts.get(rows::OTHERS).starts_with("kills"),
        title: "what is not allowed kills",
        words: "A program that tries something and is refused can do without, and most do: a C library asks for the newest call \
                first and falls back. With EPERM it hears \"no\"; with KILL it is gone, and nobody knows why. Refuse with \
                an error. Only a call through the wrong table kills.",
        read: "man 2 seccomp, SECCOMP_RET_ERRNO",
    },
    Rule {
        id: "allows-a-range",
        when: |facts| facts.get(rows::OTHERS).contains(PASSES) || facts.get(rows::LONG_OTHERS).contains(PASSES),
        title: "numbers pass that are not on the list",
        words: "Some calls pass that nobody allowed, as the facts show with their numbers. A comparison with greater or less \
                lets a whole range through, and numbers of calls have no order: between two harmless ones is one that \
                is not. Compare for equality, one number after the other.",
        read: "man 2 syscalls; unistd_64.h",
    },
    Rule {
        id: "table-unchecked",
        when: |facts| facts.get(rows::TABLE) == PASSES,
        title: "the 32-bit table leads past the filter",
        words: "A number means nothing by itself: 13 is rt_sigaction in one table and time in the 32-bit one, and 5 is fstat here \
                and open there. Any 64-bit program can call through the other table with `int 0x80`. So before the \
                number look at which table it is of, and kill what comes through another.",
        read: "man 2 seccomp, the note on `arch`",
    },
    Rule {
        id: "other-table-goes-on",
        when: |facts| facts.get(rows::TABLE) != KILLS,
        title: "a call through another table does not kill",
        words: "You look at the table, but what comes through another one may go on. To a program of that other table your \
                numbers mean nothing, and your EPERM answers a call that you cannot name. No program that was started \
                honestly gets there; so the answer is to kill the process.",
        read: "man 2 seccomp, SECCOMP_RET_KILL_PROCESS",
    },
    Rule {
        id: "x32-slips",
        when: |facts| facts.get(rows::X32) != EPERM,
        title: "x32 calls pass",
        words: "x32 uses the table of 64-bit calls, so that the check of the table lets it through, with bit 30 set in the number. \
                You let such a number pass as though the bit were not there. But behind it is other code of the kernel, \
                seldom used and seldom looked at. Compare the number as it is: with the bit it is on no list.",
        read: "man 2 seccomp, the note on x32",
    },
    Rule {
        id: "jumps-too-far",
        when: |facts| facts.get(rows::LONG_FIRST) != PASSES || facts.get(rows::LONG_LAST) != PASSES,
        title: "with a long list a jump lands in the wrong place",
        words: "With five calls all is well, with 300 it is not. A conditional jump has one byte for how far: 255 at most, and \
                `as u8` cuts off what is above without a word. Let each comparison have its answer right behind it, and \
                no jump is longer than one.",
        read: "the kernel's networking/filter.rst, jt and jf",
    },
];
