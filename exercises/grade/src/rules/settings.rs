//! 3.1

use crate::diagnosis::Rule;
use crate::facts::Facts;

const NONE: &str = "no option";
const MEMORY: &str = "-m 64m";
const SWAP: &str = "-m 64m --memory-swap 96m";
const SWAP_FREE: &str = "-m 64m --memory-swap -1";
const CPUS: &str = "--cpus 0.5";
const PERIOD: &str = "--cpu-quota 5000 --cpu-period 20000";
const SHARES: &str = "--cpu-shares 1024";
const PIDS: &str = "--pids-limit 20";
const PIDS_FREE: &str = "--pids-limit -1";
const PIDS_ZERO: &str = "--pids-limit 0";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-is-set",
        when: |facts| [MEMORY, CPUS, PIDS].iter().all(|asked| facts.get(asked) == "nothing"),
        title: "nothing is written, whatever is asked for",
        words: "You return an empty list for every limit. Nobody complains about that, least of all the kernel: the \
                container starts, and takes what it likes. Each `Some` in `Limits` becomes a `Setting`, with the name \
                of a file and what is to be in it.",
        read: "the kernel's cgroup-v2.rst, \"Controllers\"",
    },
    Rule {
        id: "sets-what-nobody-asked-for",
        when: |facts| facts.get(NONE) != "nothing",
        title: "it writes limits that nobody asked for",
        words: "Without any option you write something all the same. Then a container needs controllers that this machine \
                may not have, or may not hand to this user, and does not start for a limit that nobody wants. What is \
                `None` is left as the kernel made it.",
        read: "the kernel's cgroup-v2.rst, \"Enabling and Disabling\"",
    },
    Rule {
        id: "names-of-v1",
        when: |facts| facts.get(MEMORY).contains("memory.limit_in_bytes") || facts.get(SHARES).contains("cpu.shares"),
        title: "these files are cgroup v1's",
        words: "`memory.limit_in_bytes` and `cpu.shares` are of the first generation, as is most of what one finds written \
                about cgroups. In v2 every controller follows one scheme: `….max` is a limit, `….low` is protected, \
                `….weight` is a share. Look: `ls /sys/fs/cgroup/*/`.",
        read: "the kernel's cgroup-v2.rst, \"Interface Files\"",
    },
    Rule {
        id: "swap-is-the-total",
        when: |facts| facts.get(SWAP).contains("memory.swap.max 100663296"),
        title: "--memory-swap is taken for the swap alone",
        words: "Docker's `--memory-swap` is memory *and* swap together, because v1 counted them together: 64m of memory with \
                a memory-swap of 96m may swap 32m. v2 counts swap by itself. As you have it, this container gets 160m. \
                (`Limits::swap` subtracts.)",
        read: "man 1 docker-run, --memory-swap; the kernel's cgroup-v2.rst, memory.swap.max",
    },
    Rule {
        id: "swap-forgotten",
        when: |facts| facts.get(MEMORY) == "memory.max 67108864",
        title: "with a memory limit alone, swap has none",
        words: "A process that reaches memory.max is not killed as long as there is swap: it is slowed down, and the machine \
                with it, until the disk is full. Docker's rule is that a container with `-m` alone may swap as much again \
                as it has memory. (`Limits::swap` knows.)",
        read: "the kernel's cgroup-v2.rst, memory.swap.max",
    },
    Rule {
        id: "no-limit-is-a-word",
        when: |facts| {
            let free = [SWAP_FREE, PIDS_FREE, PIDS_ZERO, "--cpu-quota -1"];
            free.iter().any(|asked| facts.get(asked).split([' ', ',']).any(|word| NUMBERS.contains(&word)))
        },
        title: "\"no limit\" is written as a number",
        words: "Docker says -1, or 0 for processes, when it means that there is no limit. To the kernel 0 is a limit like any \
                other: nobody may fork. And -1 is nothing that it can read: EINVAL. In all files of cgroup v2 the word \
                is `max`.",
        read: "the kernel's cgroup-v2.rst, \"Conventions\"",
    },
    Rule {
        id: "billionths",
        when: |facts| facts.get(CPUS).contains("500000000"),
        title: "--cpus goes into cpu.max as it is",
        words: "`Limits::cpus` counts billionths of a processor, as Docker's API does, and cpu.max counts microseconds: so many \
                of processor time in each period of so many. Half a processor is 50000 in each 100000. \
                (`Limits::bandwidth` has both numbers.)",
        read: "the kernel's cgroup-v2.rst, cpu.max",
    },
    Rule {
        id: "period-first",
        when: |facts| facts.get(PERIOD) == "cpu.max 20000 5000",
        title: "cpu.max has its numbers the wrong way round",
        words: "First how much, then in how long: `cpu.max` is `$MAX $PERIOD`. As you have it, half a processor becomes two, \
                and a quarter becomes four. The kernel takes both without a word.",
        read: "the kernel's cgroup-v2.rst, cpu.max",
    },
    Rule {
        id: "period-forgotten",
        when: |facts| facts.get(PERIOD) == "cpu.max 5000",
        title: "cpu.max has a quota and no period",
        words: "With one number the kernel keeps the period it has, which is 100000 in a new cgroup. 5000 of 20000 is a quarter \
                of a processor; 5000 of 100000 is a twentieth. Write both, always: `$MAX $PERIOD`.",
        read: "the kernel's cgroup-v2.rst, cpu.max",
    },
    Rule {
        id: "shares-are-not-weights",
        when: |facts| facts.get(SHARES) == "cpu.weight 1024",
        title: "Docker's shares are written as a weight",
        words: "Both say how much one gets when others want it too, on different scales: usual are 1024 shares, and a weight of \
                100. As you have it, a container with the usual share gets ten times that of everything else on the \
                machine. And --cpu-shares 20000 is refused, since weights end at 10000. (`cpu_weight` converts.)",
        read: "the kernel's cgroup-v2.rst, cpu.weight",
    },
    Rule {
        id: "shares-by-a-straight-line",
        when: |facts| facts.get(SHARES) == "cpu.weight 39",
        title: "the usual share has become less than half of it",
        words: "A straight line from 2…262144 to 1…10000 makes 39 of 1024, and everybody else has 100. That is how runtimes \
                converted for years, and how containers became slower by the move to v2. The scales must meet in three \
                points, the ends and the usual value: `cpu_weight` does.",
        read: "the source of cgroups::cpu_weight",
    },
    Rule {
        id: "shares-leave-the-scale",
        when: |facts| off(facts, "cpu.weight", &ALL_SHARES),
        title: "some shares become a weight that they are not",
        words: "Your formula is right for some shares and not for all, as the facts show. The scales are 2…262144 and \
                1…10000, and one proportion does not fit them: a tenth makes 100 of 1024, but 25600 of 262144, which \
                the kernel refuses, and 0 of 2. The ends must meet as well as the usual value, and it is a curve that \
                leads through all three: `cpu_weight`.",
        read: "the source of cgroups::cpu_weight",
    },
    Rule {
        id: "disk-weights-do-not-meet",
        when: |facts| off(facts, "io.weight", &ALL_DISKS),
        title: "some weights of the disks become others than they are",
        words: "Docker's `--blkio-weight` goes from 10 to 1000, and io.weight from 1 to 10000. Here it is a straight line, but \
                both ends must meet: 10 is 1, and 1000 is 10000. A formula that is right in the middle gives the \
                smallest container more than it asked for. (`io_weight` has the line.)",
        read: "the source of cgroups::io_weight; the kernel's cgroup-v2.rst, io.weight",
    },
];

/// What is asked about shares, and the weight that it is.
const ALL_SHARES: [(&str, &str); 4] = [
    ("--cpu-shares 2", "cpu.weight 1"),
    ("--cpu-shares 512", "cpu.weight 59"),
    (SHARES, "cpu.weight 100"),
    ("--cpu-shares 262144", "cpu.weight 10000"),
];
/// The same for disks.
const ALL_DISKS: [(&str, &str); 3] = [
    ("--blkio-weight 10", "io.weight 1"),
    ("--blkio-weight 500", "io.weight 4950"),
    ("--blkio-weight 1000", "io.weight 10000"),
];

/// Whether `file` is written in each case, and not always with what belongs there.
fn off(facts: &Facts, file: &str, expected: &[(&str, &str)]) -> bool {
    let said = || expected.iter().map(|(asked, right)| (facts.get(asked), *right));
    said().all(|(said, _)| said.starts_with(file)) && said().any(|(said, right)| said != right)
}

const NUMBERS: [&str; 4] = ["-1", "0", "18446744073709551615", "9223372036854775807"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_that_rules_ask_for_are_asked_about() {
        let asked: Vec<_> = subject::scene::shares::asked().into_iter().map(|(options, _)| options).collect();
        let scales = ALL_SHARES.iter().chain(&ALL_DISKS).map(|(options, _)| *options);
        let single = [NONE, MEMORY, SWAP, SWAP_FREE, CPUS, PERIOD, PIDS, PIDS_FREE, PIDS_ZERO];
        for known in single.into_iter().chain(scales) {
            assert!(asked.contains(&known), "{known}");
        }
    }
}
