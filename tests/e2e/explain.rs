//! `--explain` is true: what it tells is what strace sees, call for call.

use std::collections::BTreeMap;
use std::process::Command;

use look::tell::{Event, Side};

use crate::Test;
use crate::support::need::Need::{Containers, Strace};
use crate::support::{Ended, TINBOX, Tinbox};

pub const TESTS: &[Test] = &[
    ("it_tells_what_strace_sees", &[Containers, Strace], it_tells_what_strace_sees),
    ("it_tells_the_same_of_a_terminal", &[Containers, Strace], it_tells_the_same_of_a_terminal),
    ("every_step_has_its_reason", &[Containers], every_step_has_its_reason),
    ("a_refusal_is_told", &[Containers], a_refusal_is_told),
    ("text_is_for_people", &[Containers], text_is_for_people),
];

/// Every system call that builds or changes a container. `write` to a map is added by its file.
const BUILDING: [&str; 28] = [
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
    "symlinkat",
    "setsid",
    "setresuid",
    "setresgid",
    "setgroups",
    "capset",
    "close_range",
    "execve",
];

/// What each process did: how often each call was made, by name.
type Calls = BTreeMap<String, usize>;

fn it_tells_what_strace_sees() {
    for options in ["", "-u 1234:5678 -w /made", "-i --hostname box"] {
        let tinbox = Tinbox::new();
        compare(&tinbox, &tinbox.command(arguments(options)));
    }
}

fn it_tells_the_same_of_a_terminal() {
    let tinbox = Tinbox::new();
    compare(&tinbox, &tinbox.command(arguments("-t")));
}

fn arguments(options: &str) -> Vec<String> {
    let words = format!("run --rm --explain=json {options} base true");
    words.split_whitespace().map(str::to_owned).collect()
}

fn compare(tinbox: &Tinbox, command: &Command) {
    let trace = tinbox.path("trace");
    let mut strace = Command::new("strace");
    strace.args([
        "-ff",
        "-qq",
        "-y",
        "-e",
        &format!("trace={},prctl,ioctl,write,mkdirat,fchown", BUILDING.join(",")),
        "-o",
    ]);
    strace.arg(&trace).arg(TINBOX).args(command.get_args());
    strace.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?)))).stdin(std::process::Stdio::null());
    let ended = Ended::of(strace.output().unwrap());
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let events: Vec<Event> = ended.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let [outside, inside] = traces(tinbox);
    assert_eq!(told(&events, Side::Outside), seen(&outside), "outside");
    assert_eq!(told(&events, Side::Inside), seen(&inside), "inside");
}

/// strace writes a file for each process: ours comes first, the container's second.
fn traces(tinbox: &Tinbox) -> [String; 2] {
    let mut files: Vec<(u32, String)> = std::fs::read_dir(tinbox.path(""))
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.strip_prefix("trace.")?.parse().ok()?;
            Some((pid, std::fs::read_to_string(entry.path()).unwrap()))
        })
        .collect();
    files.sort();
    let texts: Vec<String> = files.into_iter().map(|(_, text)| text).collect();
    texts.try_into().expect("two processes")
}

fn told(events: &[Event], side: Side) -> Calls {
    let mut calls = Calls::new();
    for event in events.iter().filter(|event| event.side == side) {
        *calls.entry(event.call.clone()).or_default() += event.times as usize;
    }
    calls
}

/// What strace saw of one process, less what every program does: the execve that started it, and what its
/// runtime library asks of prctl and ioctl.
fn seen(trace: &str) -> Calls {
    let mut calls = Calls::new();
    for line in trace.lines() {
        let Some((call, rest)) = line.split_once('(') else { continue };
        let counts = match call {
            "execve" => !rest.contains(TINBOX),
            "prctl" => {
                ["PR_CAPBSET_DROP", "PR_SET_NO_NEW_PRIVS", "PR_SET_PDEATHSIG"].iter().any(|o| rest.starts_with(o))
            }
            "ioctl" => rest.contains("TIOCSCTTY"),
            "write" => ["/uid_map>", "/gid_map>", "/setgroups>"].iter().any(|file| rest.contains(file)),
            _ => true,
        };
        let name = match call {
            "write" => format!("write {}", rest.split_once('>').unwrap().0.rsplit('/').next().unwrap()),
            other => other.to_owned(),
        };
        if counts {
            *calls.entry(name).or_default() += 1;
        }
    }
    calls
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
    let ended = tinbox.tinbox("run --rm --explain=json base /etc");
    let last: Event = ended.stderr.lines().rev().find_map(|line| serde_json::from_str(line).ok()).unwrap();
    assert_eq!((last.call.as_str(), last.object.as_str()), ("execve", "/etc"));
    assert_eq!(ended.status, 126);
}

fn text_is_for_people() {
    let tinbox = Tinbox::new();
    let mut command = tinbox.command(["run", "--rm", "--hostname", "box", "--explain", "base", "true"]);
    let text = Ended::of(command.output().unwrap()).stderr;
    assert!(text.contains("pivot_root(2)") && text.contains("# the new root becomes /"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("looked · it has its own mnt pid uts ipc")), "{text}");
}
