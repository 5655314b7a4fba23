//! `--explain` is true: what it tells is what strace sees, call for call.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use look::tell::{Event, Side};

use crate::Test;
use crate::support::need::Need::{Containers, Strace};
use crate::support::{Ended, TINBOX, Tinbox, cgroups};

pub const TESTS: &[Test] = &[
    ("it_tells_what_strace_sees", &[Containers, Strace], it_tells_what_strace_sees),
    ("it_tells_the_same_of_what_is_shared", &[Containers, Strace], it_tells_the_same_of_what_is_shared),
    ("it_tells_the_same_of_a_terminal", &[Containers, Strace], it_tells_the_same_of_a_terminal),
    ("every_step_has_its_reason", &[Containers], every_step_has_its_reason),
    ("a_refusal_is_told", &[Containers], a_refusal_is_told),
    ("text_is_for_people", &[Containers], text_is_for_people),
];

/// Every system call that builds or changes a container, as strace names it. Some count only on certain files or with
/// certain arguments: see [`name_of`].
const BUILDING: [&str; 40] = [
    "clone3",
    "clone",
    "fork",
    "vfork",
    "unshare",
    "setns",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "chdir",
    "fchdir",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "mount_setattr",
    "sethostname",
    "mknodat",
    "mkdirat",
    "symlinkat",
    "fchown",
    "setsid",
    "setresuid",
    "setresgid",
    "setgroups",
    "capset",
    "close_range",
    "execve",
    "execveat",
    "seccomp",
    "bpf",
    "prctl",
    "ioctl",
    "write",
    "mkdir",
    "rmdir",
    "prlimit64",
    "setrlimit",
];

/// What each process did: how often each call was made, by name.
type Calls = BTreeMap<String, usize>;

/// Sets of options, each with the cgroup controller that it needs, if any.
const OPTIONS: [(&str, Option<&str>); 19] = [
    ("", None),
    ("-u 1234:5678 -w /made", None),
    ("-i --hostname box-with-a-name", None),
    ("-m 64m --memory-reservation 32m", Some("memory")),
    ("--cpus 0.5 --cpu-shares 512", Some("cpu")),
    ("--pids-limit 50", Some("pids")),
    ("--cpuset-cpus 0", Some("cpuset")),
    ("--init", None),
    ("--init --cap-add SYS_PTRACE", None),
    ("--network host", None),
    ("--ipc host --uts host", None),
    ("--cgroupns host", None),
    ("--read-only --tmpfs /run:size=64k --tmpfs /made/here", None),
    ("--ulimit nofile=64 --ulimit core=0", None),
    ("--sysctl kernel.shm_rmid_forced=1 --sysctl net.ipv4.ip_unprivileged_port_start=80", None),
    ("--privileged", None),
    ("--init --time-offset 100", None),
    ("--security-opt no-new-privileges=false --security-opt systempaths=unconfined", None),
    ("--security-opt seccomp=unconfined --cap-drop ALL --device /dev/null:/dev/another", None),
];

fn it_tells_what_strace_sees() {
    for (options, controller) in OPTIONS {
        if controller.is_none_or(cgroups::has) {
            let tinbox = Tinbox::new();
            compare(&tinbox, options);
        }
    }
}

fn it_tells_the_same_of_what_is_shared() {
    let tinbox = Tinbox::new();
    let _other = tinbox.start("--name other", "echo ready; read never");
    for options in ["--pid container:other", "--network container:other", "--ipc container:other"] {
        compare(&tinbox, options);
    }
    compare(&tinbox, "--pid container:other --network container:other --ipc container:other --init");
}

fn it_tells_the_same_of_a_terminal() {
    let tinbox = Tinbox::new();
    compare(&tinbox, "-t");
    compare(&tinbox, "-t --init -u 1234");
}

fn arguments(options: &str) -> Vec<String> {
    let words = format!("run --rm --explain=json {options} base true");
    words.split_whitespace().map(str::to_owned).collect()
}

#[track_caller]
fn compare(tinbox: &Tinbox, options: &str) {
    let traces = tempfile::tempdir().unwrap();
    let command = tinbox.command(arguments(options));
    let mut strace = Command::new("strace");
    // A set-user-ID program does not work under strace, so newuidmap is not to be found.
    strace.args(["-ff", "-qq", "-y", "-E", "PATH=/nowhere", "-e", &format!("trace={}", BUILDING.join(",")), "-o"]);
    strace.arg(traces.path().join("trace")).arg(TINBOX).args(command.get_args());
    strace.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?)))).stdin(std::process::Stdio::null());
    let ended = Ended::of(strace.output().unwrap());
    assert_eq!(ended.status, 0, "{options}: {}", ended.stderr);
    let events: Vec<Event> = ended.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let (outside, inside) = read(traces.path());
    assert_eq!(told(&events, Side::Outside), seen(&outside), "{options}: outside");
    assert_eq!(told(&events, Side::Inside), seen(&inside), "{options}: inside");
}

/// strace writes a file for each process: ours comes first, the container's after it.
fn read(traces: &Path) -> (String, String) {
    let entries = std::fs::read_dir(traces).unwrap().flatten();
    let mut files: Vec<(u32, String)> = entries
        .filter_map(|entry| {
            let pid = entry.path().extension()?.to_str()?.parse().ok()?;
            Some((pid, std::fs::read_to_string(entry.path()).unwrap()))
        })
        .collect();
    files.sort();
    let outside = files.remove(0).1;
    (outside, files.into_iter().map(|(_, text)| text).collect())
}

fn told(events: &[Event], side: Side) -> Calls {
    let mut calls = Calls::new();
    for event in events.iter().filter(|event| event.side == side) {
        *calls.entry(event.call.clone()).or_default() += event.times as usize;
    }
    calls
}

/// What strace saw.
fn seen(trace: &str) -> Calls {
    let mut calls = Calls::new();
    for name in trace.lines().filter_map(name_of) {
        *calls.entry(name).or_default() += 1;
    }
    calls
}

/// What a line of strace is told as. `None` is what every program does: the execve that started it, what its runtime
/// library asks of prctl, ioctl and prlimit64, directories and writes of its own.
fn name_of(line: &str) -> Option<String> {
    let (call, rest) = line.split_once('(')?;
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| rest.starts_with(beginning));
    let contains = |words: &[&str]| words.iter().any(|word| rest.contains(word));
    let counts = match call {
        "execve" => !rest.contains(TINBOX),
        "prctl" => begins(&["PR_CAPBSET_DROP", "PR_SET_NO_NEW_PRIVS", "PR_SET_PDEATHSIG", "PR_SET_DUMPABLE"]),
        "ioctl" => contains(&["TIOCSCTTY", "SIOCSIFFLAGS"]),
        "mkdir" | "rmdir" => rest.starts_with("\"/sys/fs/cgroup/"),
        // With null for the new limit it only asks.
        "prlimit64" => rest.split(", ").nth(2) != Some("NULL"),
        "write" => contains(&["</sys/fs/cgroup/", "</proc/", "/proc/sys/"]) || is_nameless(rest),
        _ => true,
    };
    let name = match call {
        "write" if counts && is_nameless(rest) => "write".into(),
        "write" => {
            let path = rest.split_once('>')?.0;
            let file = path.rsplit('/').next()?;
            let setting = ["/proc/sys/", "/attr/"].iter().any(|dir| path.contains(dir));
            if setting { "write".into() } else { format!("write {file}") }
        }
        "prlimit64" => "setrlimit".into(),
        // The C library's fork.
        "clone" if rest.contains("CLONE_CHILD_SETTID") => "fork".into(),
        other => other.to_owned(),
    };
    counts.then_some(name)
}

/// Of a process that is not dumpable an ordinary user's strace sees numbers only. What is written then and is shorter
/// than all else (what is told, the shim, a host name with its line's end) is a setting.
fn is_nameless(rest: &str) -> bool {
    let arguments: Vec<&str> = rest.split([',', ')']).collect();
    let length = arguments.get(2).and_then(|length| length.trim().parse::<usize>().ok());
    !arguments[0].contains('<') && length.is_some_and(|length| length < 8)
}

fn every_step_has_its_reason() {
    let tinbox = Tinbox::new();
    let stderr = Ended::of(tinbox.command(arguments("")).output().unwrap()).stderr;
    let mut events = 0;
    for line in stderr.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        if value.get("call").is_none() {
            assert_eq!(value["own"][0], "mnt", "{line}");
            continue;
        }
        let event: Event = serde_json::from_value(value).unwrap();
        assert!(!event.why.is_empty() && event.man.contains('('), "{event:?}");
        assert!(event.error.is_none(), "{event:?}");
        events += 1;
    }
    assert!(events > 20, "{events}");
}

fn a_refusal_is_told() {
    let tinbox = Tinbox::new();
    let told = |command: &str| {
        let ended = tinbox.tinbox(&format!("run --rm --explain=json {command}"));
        let events: Vec<Event> = ended.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (ended, events)
    };
    // The program that becomes the command cannot tell, so it is told before.
    let (ended, events) = told("base /etc/passwd");
    assert_eq!(ended.status, 126, "{ended:?}");
    assert!(events.iter().any(|event| event.call == "execve" && event.object == "/etc/passwd"), "{events:?}");
    let (ended, events) = told("--ulimit nofile=4000000000 base true");
    assert_eq!(ended.status, 125, "{ended:?}");
    let refused: Vec<_> = events.iter().filter(|event| event.error.is_some()).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].call, "setrlimit");
    assert!(refused[0].error.as_ref().unwrap().starts_with("EPERM"), "{refused:?}");
}

fn text_is_for_people() {
    let tinbox = Tinbox::new();
    let mut command = tinbox.command(["run", "--rm", "--hostname", "box", "--explain", "base", "true"]);
    let text = Ended::of(command.output().unwrap()).stderr;
    assert!(text.contains("pivot_root(2)") && text.contains("# the new root becomes /"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("looked · it has its own mnt pid uts ipc")), "{text}");
}
