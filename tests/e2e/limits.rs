//! What a container gets: each limit read back from the kernel, what happens to who goes over it, and that nothing is
//! left of it afterwards.

use nix::poll::PollTimeout;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::Test;
use crate::support::need::Need::{Cgroups, Containers, Controller, NoDelegation};
use crate::support::process::Process;
use crate::support::{Running, Tinbox, cgroups};

pub const TESTS: &[Test] = &[
    ("memory", &[Containers, Controller("memory")], memory),
    ("processor_time", &[Containers, Controller("cpu")], processor_time),
    ("processors", &[Containers, Controller("cpuset")], processors),
    ("processes", &[Containers, Controller("pids")], processes),
    ("the_share_of_the_disks", &[Containers, Controller("io")], the_share_of_the_disks),
    ("without_options_there_are_none", &[Containers, Cgroups], without_options_there_are_none),
    ("out_of_memory_says_so", &[Containers, Controller("memory")], out_of_memory_says_so),
    ("a_child_that_is_out_of_memory_is_written_down", &[Containers, Controller("memory")], a_child_out_of_memory),
    ("other_ends_by_a_kill_are_no_want_of_memory", &[Containers], other_ends_by_a_kill),
    ("one_process_too_many", &[Containers, Controller("pids")], one_process_too_many),
    ("processes_cannot_leave", &[Containers, Cgroups], processes_cannot_leave),
    ("whoever_is_left_is_ended", &[Containers, Cgroups], whoever_is_left_is_ended),
    ("its_cgroups_go_with_it", &[Containers, Cgroups], its_cgroups_go_with_it),
    ("its_cgroups_go_when_tinbox_was_killed", &[Containers, Cgroups], its_cgroups_go_when_tinbox_was_killed),
    ("a_user_without_a_cgroup_is_told", &[Containers, NoDelegation], a_user_without_a_cgroup_is_told),
    ("a_user_without_a_cgroup_needs_none", &[Containers, NoDelegation], a_user_without_a_cgroup_needs_none),
    ("limits_that_make_no_sense", &[Containers], limits_that_make_no_sense),
];

const WAITING: &str = "echo ready; read never";

/// A file in v1: controller and name. Then the name in v2.
type Place = ((&'static str, &'static str), &'static str);

const MEMORY: Place = (("memory", "memory.limit_in_bytes"), "memory.max");
const RESERVATION: Place = (("memory", "memory.soft_limit_in_bytes"), "memory.low");
const QUOTA: Place = (("cpu", "cpu.cfs_quota_us"), "cpu.max");
const PERIOD: Place = (("cpu", "cpu.cfs_period_us"), "cpu.max");
const SHARES: Place = (("cpu", "cpu.shares"), "cpu.weight");
const CPUS: Place = (("cpuset", "cpuset.cpus"), "cpuset.cpus");
const NODES: Place = (("cpuset", "cpuset.mems"), "cpuset.mems");
const PIDS: Place = (("pids", "pids.max"), "pids.max");

/// Asserts that with `options` the container's first process is in a cgroup where `place` says this, in v1 or in v2.
#[track_caller]
fn limited(options: &str, place: Place, in_v1: &str, in_v2: &str) {
    let tinbox = Tinbox::new();
    for options in [options.to_owned(), format!("{options} --init")] {
        let running = tinbox.start(&options, WAITING);
        let expected = if cgroups::v1(place.0.0).is_some() { in_v1 } else { in_v2 };
        assert_eq!(read(running.init(), place).as_deref(), Some(expected), "{options}");
    }
}

fn read(pid: Pid, (of_v1, of_v2): Place) -> Option<String> {
    cgroups::read(pid, of_v1, of_v2)
}

fn memory() {
    limited("-m 64m", MEMORY, "67108864", "67108864");
    limited("--memory 1g", MEMORY, "1073741824", "1073741824");
    limited("-m 64m --memory-reservation 32m", RESERVATION, "33554432", "33554432");
    let swap: Place = (("memory", "memory.memsw.limit_in_bytes"), "memory.swap.max");
    // Not every kernel counts swap.
    let running = Tinbox::new().start("-m 64m", WAITING);
    if read(running.init(), swap).is_some() {
        limited("-m 64m", swap, "134217728", "67108864");
        limited("-m 64m --memory-swap 96m", swap, "100663296", "33554432");
        limited("-m 64m --memory-swap 64m", swap, "67108864", "0");
        limited("-m 64m --memory-swap -1", swap, "9223372036854771712", "max");
    }
}

fn processor_time() {
    limited("--cpus 0.5", QUOTA, "50000", "50000 100000");
    limited("--cpu-quota 20000 --cpu-period 50000", QUOTA, "20000", "20000 50000");
    limited("--cpu-quota 20000 --cpu-period 50000", PERIOD, "50000", "20000 50000");
    limited("--cpu-quota -1", QUOTA, "-1", "max 100000");
    for (shares, weight) in [("2", "1"), ("1024", "100"), ("262144", "10000")] {
        limited(&format!("--cpu-shares {shares}"), SHARES, shares, weight);
    }
}

fn processors() {
    limited("--cpuset-cpus 0", CPUS, "0", "0");
    limited("--cpuset-cpus 0 --cpuset-mems 0", NODES, "0", "0");
    let running = Tinbox::new().start("--cpuset-cpus 0", WAITING);
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.init())).unwrap();
    assert!(status.contains("Cpus_allowed_list:\t0\n"), "{status}");
}

fn processes() {
    limited("--pids-limit 50", PIDS, "50", "50");
    // No limit is what there is without asking, and needs no cgroup.
    for none in ["-1", "0"] {
        assert_eq!(Tinbox::new().sh(&format!("--pids-limit {none}"), "echo fine").ok(), "fine\n");
    }
}

/// It depends on the kernel and its disk scheduler whether there is a weight. If not, that is said.
fn the_share_of_the_disks() {
    let tinbox = Tinbox::new();
    let ended = tinbox.sh("--blkio-weight 300", "true");
    if ended.status == 125 {
        assert!(ended.stderr.contains("this kernel has no weights for disks; leave out --blkio-weight"), "{ended:?}");
        assert!(tinbox.leftovers().is_empty());
        return;
    }
    let running = tinbox.start("--blkio-weight 300", WAITING);
    let files =
        [("blkio.weight", "io.weight", "300", "default 2930"), ("blkio.bfq.weight", "io.bfq.weight", "300", "300")];
    let values = files.map(|(v1, v2, ..)| read(running.init(), (("blkio", v1), v2)));
    let expected = files.map(|(_, _, v1, v2)| if cgroups::v1("blkio").is_some() { v1 } else { v2 });
    assert!(values.iter().zip(expected).any(|(value, expected)| value.as_deref() == Some(expected)), "{values:?}");
}

fn without_options_there_are_none() {
    let running = Tinbox::new().start("", WAITING);
    let cgroups = look::Evidence::of(running.init()).unwrap().cgroups.value().unwrap().clone();
    let limits: Vec<_> =
        cgroups.iter().filter(|cgroup| cgroup.path.contains("tinbox")).flat_map(|c| &c.limits).collect();
    assert!(!cgroups.is_empty() && limits.is_empty(), "{limits:?}");
}

const SMALL: &str = "-m 24m --memory-swap 24m";

fn out_of_memory_says_so() {
    let tinbox = Tinbox::armed();
    // The same is done where there is enough.
    assert_eq!(tinbox.act("-m 512m", "hog 100").ok(), "100 MiB\n");
    let ended = tinbox.act(SMALL, "hog 100");
    assert_eq!((ended.status, ended.stdout.as_str()), (137, ""), "{ended:?}");
    assert!(ended.stderr.contains("out of memory: the kernel killed the command"), "{ended:?}");
    let mut command = tinbox.command(["run", "--name", "hog"]);
    command.args(SMALL.split(' ')).arg(crate::support::armed::IMAGE).args(crate::support::armed::act("hog 100"));
    command.stderr(std::process::Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(137));
    assert_eq!(ended_of(&tinbox, "hog"), (137, true));
    assert!(tinbox.tinbox("ps -a").ok().contains("Exited (137)"));
}

/// The status in a container's record, and whether it is written there that memory was out.
fn ended_of(tinbox: &Tinbox, name: &str) -> (u64, bool) {
    let containers = std::fs::read_dir(tinbox.path("containers")).unwrap().flatten();
    let records = containers.map(|dir| std::fs::read(dir.path().join("container.json")).unwrap());
    let mut records = records.map(|record| serde_json::from_slice::<serde_json::Value>(&record).unwrap());
    let record = records.find(|record| record["name"] == name).unwrap();
    (record["ended"]["status"].as_u64().unwrap(), record["ended"]["out_of_memory"].as_bool().unwrap())
}

fn a_child_out_of_memory() {
    let tinbox = Tinbox::armed();
    let mut command = tinbox.command(["run", "--name", "parent"]);
    let script = "/bin/act --act hog 100 2>/dev/null; echo $?";
    command.args(SMALL.split(' ')).args([crate::support::armed::IMAGE, "sh", "-c", script]);
    let ended = crate::support::Ended::of(command.output().unwrap());
    // The command lives, so there is nothing to explain about its end.
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "137\n"), "{ended:?}");
    assert!(!ended.stderr.contains("out of memory"), "{ended:?}");
    assert_eq!(ended_of(&tinbox, "parent"), (0, true));
}

fn other_ends_by_a_kill() {
    let tinbox = Tinbox::new();
    let ended = tinbox.sh("--init", "kill -KILL $$");
    assert_eq!((ended.status, ended.stderr.as_str()), (137, ""));
    assert_eq!(tinbox.tinbox("run --name mine --init base false").status, 1);
    assert_eq!(ended_of(&tinbox, "mine"), (1, false));
}

fn one_process_too_many() {
    let tinbox = Tinbox::armed();
    assert_eq!(tinbox.act("--pids-limit -1", "fork 60").ok(), "60 processes\n");
    let error = tinbox.act("--pids-limit 10", "fork 60").fails(1);
    assert_eq!(error, "act: after 9 processes: EAGAIN\n");
    let error = tinbox.act("--pids-limit 10 --init", "fork 60").fails(1);
    assert_eq!(error, "act: after 8 processes: EAGAIN\n");
    // The program that becomes the command counts too, but needs no more than it.
    assert_eq!(tinbox.sh("--pids-limit 1", "echo alone").ok(), "alone\n");
}

/// Children are born into their parent's cgroup, also in a session of their own.
fn processes_cannot_leave() {
    let tinbox = Tinbox::new();
    // Each is there before the next word is read: a fork in the foreground, whose child stays behind, and one behind.
    let script = "for i in 1 2 3; do sh -c 'sleep 1000 &'; sleep 1000 & done; echo ready; read never";
    let running = tinbox.start("", script);
    let id = id(&tinbox);
    let dirs = cgroups::of_container(&id);
    for dir in dirs {
        let inside = std::fs::read_to_string(dir.join("cgroup.procs")).unwrap().lines().count();
        assert_eq!(inside, 7, "{}", dir.display());
    }
    assert_eq!(running.end(), 1);
}

fn whoever_is_left_is_ended() {
    let tinbox = Tinbox::new();
    // Without a PID namespace of its own nothing but the cgroup holds them together.
    let left = tinbox.sh("--pid host", "sleep 1000 < /dev/null > /dev/null 2>&1 & echo $!").ok();
    if let Some(process) = Process::try_open(Pid::from_raw(left.trim().parse().unwrap())) {
        let ended = process.ends_within(PollTimeout::from(10_000_u16));
        process.kill();
        assert!(ended);
    }
}

/// The id of the only container.
fn id(tinbox: &Tinbox) -> String {
    let mut containers = std::fs::read_dir(tinbox.path("containers")).unwrap().flatten();
    containers.next().unwrap().file_name().into_string().unwrap()
}

fn its_cgroups_go_with_it() {
    let tinbox = Tinbox::new();
    for (options, script) in [
        ("", WAITING.to_owned()),
        ("--init", WAITING.to_owned()),
        ("--cgroupns host", WAITING.to_owned()),
        // Cgroups that the container made itself go too, where it could.
        ("--privileged", format!("mkdir /sys/fs/cgroup/a /sys/fs/cgroup/a/b 2>/dev/null; {WAITING}")),
    ] {
        let running = tinbox.start(options, &script);
        let id = id(&tinbox);
        assert!(!cgroups::of_container(&id).is_empty(), "{options}");
        assert_eq!(running.end(), 1);
        assert_eq!(cgroups::of_container(&id), [""; 0].map(std::path::PathBuf::from), "{options}");
    }
    // One that fails to start has had some, too.
    tinbox.tinbox("run --name failed base no-such-program");
    assert_eq!(cgroups::of_container(&id(&tinbox)), [""; 0].map(std::path::PathBuf::from));
}

fn its_cgroups_go_when_tinbox_was_killed() {
    let tinbox = Tinbox::new();
    for options in ["", "--init", "--pid host"] {
        let mut running: Running =
            tinbox.start(options, "trap '' HUP; sleep 1000 < /dev/null > /dev/null 2>&1 & echo ready; read never");
        let id = id(&tinbox);
        running.signal(Signal::SIGKILL);
        running.wait();
        assert!(!cgroups::of_container(&id).is_empty(), "{options}");
        tinbox.tinbox("ps").ok();
        assert_eq!(cgroups::of_container(&id), [""; 0].map(std::path::PathBuf::from), "{options}");
        assert!(tinbox.leftovers().is_empty());
    }
}

fn a_user_without_a_cgroup_is_told() {
    let tinbox = Tinbox::new();
    for option in ["-m 64m", "--cpus 0.5", "--pids-limit 50", "--cpuset-cpus 0"] {
        let error = tinbox.sh(option, "true").fails(125);
        assert!(error.contains("limits need a cgroup, and "), "{error}");
        assert!(error.contains("  help: "), "{error}");
        assert!(tinbox.leftovers().is_empty(), "{option}");
    }
}

fn a_user_without_a_cgroup_needs_none() {
    assert_eq!(Tinbox::new().sh("", "echo fine").ok(), "fine\n");
}

fn limits_that_make_no_sense() {
    let tinbox = Tinbox::new();
    for (options, says) in [
        ("-m lots", "'lots'"),
        ("-m 4m", "minimum memory limit allowed is 6MB"),
        ("--memory-swap 64m", "give --memory too"),
        ("-m 64m --memory-swap 32m", "should be larger than the memory limit"),
        ("-m 64m --memory-reservation 128m", "can not be less than the memory reservation"),
        ("--cpus 100000", "range of CPUs is from 0.01"),
        ("--cpus -1", "'-1'"),
        ("--cpus 1 --cpu-quota 50000", "conflicting options"),
        ("--cpu-shares 1", "from 2 to 262144"),
        ("--cpu-period 10", "CPU period can not be less than 1ms"),
        ("--cpuset-cpus 9999", "requested CPUs are not available"),
        ("--cpuset-cpus x", "invalid list of CPUs 'x'"),
        ("--cpuset-mems 999", "requested memory nodes are not available"),
        ("--pids-limit -5", "invalid pids limit -5"),
        ("--pids-limit many", "many"),
        ("--blkio-weight 5", "from 10 to 1000"),
    ] {
        let error = tinbox.sh(options, "true").fails(125);
        assert!(error.contains(says), "{options}: {error}");
        assert!(tinbox.leftovers().is_empty(), "{options}");
    }
}
