//! Tinbox may be killed at any moment. Whatever it was doing, the next start finds nothing half done.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::poll::PollTimeout;
use nix::sys::signal::Signal;

use crate::Test;
use crate::support::need::Need::{Containers, Strace, Unshare};
use crate::support::process::Process;
use crate::support::{Running, TINBOX, Tinbox, cgroups, host_mounts};
use crate::weak;

pub const TESTS: &[Test] = &[
    ("a_container_does_not_outlive_its_monitor", &[Containers], a_container_does_not_outlive_its_monitor),
    (
        "one_that_does_not_mind_is_ended_by_the_next_start",
        &[Containers, Unshare],
        one_that_does_not_mind_is_ended_by_the_next_start,
    ),
    ("what_a_killed_tinbox_left_is_cleared", &[Containers], what_a_killed_tinbox_left_is_cleared),
    ("a_start_is_ended_by_signals", &[Containers], a_start_is_ended_by_signals),
    (
        "a_start_is_not_ended_by_signals_that_are_ignored",
        &[Containers],
        a_start_is_not_ended_by_signals_that_are_ignored,
    ),
    ("a_record_that_a_power_cut_emptied_is_cleared", &[Containers], a_record_that_a_power_cut_emptied_is_cleared),
    ("killed_outside_at_any_call", &[Containers, Strace], killed_outside_at_any_call),
    ("killed_inside_at_any_call", &[Containers, Strace], killed_inside_at_any_call),
];

fn a_container_does_not_outlive_its_monitor() {
    let tinbox = Tinbox::new();
    // It does not depend on any stream that closes when the monitor dies.
    let mut running = tinbox.start("", "echo ready; exec sleep 1000 < /dev/null > /dev/null 2>&1");
    let init = Process::open(running.init());
    running.signal(Signal::SIGKILL);
    running.wait();
    let ended = init.ends_within(PollTimeout::from(10_000_u16));
    init.kill();
    assert!(ended);
}

/// Any program may ask the kernel not to be killed with its parent.
fn one_that_does_not_mind_is_ended_by_the_next_start() {
    let tinbox = Tinbox::without_images();
    let archive = crate::import::archive_of(&tinbox::image::base::Source::Host, &[], |_| {});
    crate::import::import(&tinbox, "host", &archive);
    let script = "exec setpriv --pdeathsig clear sh -c 'echo ready; exec sleep 1000 < /dev/null > /dev/null 2>&1'";
    let mut running = Running::start(tinbox.command(["run", "--rm", "-i", "host", "sh", "-c", script]));
    let init = Process::open(running.init());
    running.signal(Signal::SIGKILL);
    running.wait();
    tinbox.tinbox("ps").ok();
    let ended = init.ends_within(PollTimeout::ZERO);
    init.kill();
    assert!(ended && tinbox.leftovers().is_empty(), "{:?}", tinbox.leftovers());
}

fn what_a_killed_tinbox_left_is_cleared() {
    let tinbox = Tinbox::new();
    let mut running = tinbox.start("--name gone", "echo ready; read never");
    running.signal(Signal::SIGKILL);
    running.wait();
    assert_eq!(tinbox.leftovers().len(), 3, "{:?}", tinbox.leftovers());
    // The name is free again, too.
    tinbox.tinbox("run --rm --name gone base true").ok();
    assert!(tinbox.leftovers().is_empty(), "{:?}", tinbox.leftovers());
}

/// A slow start, such as one that copies the image, would else have to be sat out.
fn a_start_is_ended_by_signals() {
    let tinbox = Tinbox::new();
    let name = |signal: Signal| format!("tinbox: ended by {signal} before the command ran\n");
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        let mut running = without_end(&tinbox, "");
        let inside = Process::open(running.init());
        // What is for the command does not end the start.
        running.signal(Signal::SIGWINCH);
        running.signal(signal);
        assert_eq!(running.wait(), 128 + signal as i32);
        let mut said = String::new();
        running.tinbox.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, name(signal));
        assert!(inside.ends_within(PollTimeout::ZERO));
        assert!(tinbox.leftovers().is_empty(), "{:?}", tinbox.leftovers());
    }
}

/// As under nohup(1).
fn a_start_is_not_ended_by_signals_that_are_ignored() {
    let tinbox = Tinbox::new();
    let mut running = without_end(&tinbox, "trap '' HUP;");
    running.signal(Signal::SIGHUP);
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait(), 128 + Signal::SIGTERM as i32);
}

/// A container whose start has no end, of a shell that has run `first`.
fn without_end(tinbox: &Tinbox, first: &str) -> Running {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{first} exec \"$0\" \"$@\"")]).arg(std::env::current_exe().unwrap());
    command.args(["run", "--name", "slow", "base", "true"]).env("TINBOX_ROOT", tinbox.path(""));
    command.env(weak::VARIABLE, weak::NO_END).env("NO_COLOR", "1").stderr(Stdio::piped());
    Running::start(command)
}

/// What is to be removed in the end is not synced.
fn a_record_that_a_power_cut_emptied_is_cleared() {
    let tinbox = Tinbox::new();
    let mut running = tinbox.start("--name cut", "echo ready; read never");
    running.signal(Signal::SIGKILL);
    running.wait();
    let id = &names_in(&tinbox.path("containers"))[0];
    std::fs::write(tinbox.path("containers").join(id).join("container.json"), "").unwrap();
    // Cgroups, and the leases of a machine's root, lie in memory.
    ::cgroups::remove_leftover(id).unwrap();
    for lease in names_in(&tinbox.path("run")) {
        std::fs::remove_file(tinbox.path("run").join(lease)).unwrap();
    }
    assert_eq!(tinbox.tinbox("ps -aq").ok(), "");
    assert!(tinbox.leftovers().is_empty(), "{:?}", tinbox.leftovers());
}

fn killed_outside_at_any_call() {
    let moments = calls(&[]);
    assert!(moments.len() > 200, "{}", moments.len());
    let born = moments.iter().position(|call| call.name == "clone3").unwrap();
    // The first calls are those of every program; and just after the birth there is a child that knows nothing yet.
    let chosen = |number: usize| number >= 80 && number.is_multiple_of(9) || (born..born + 8).contains(&number);
    killed_at(&[], moments.into_iter().enumerate().filter(|(number, _)| chosen(*number)).map(|(_, moment)| moment));
}

/// Killed is the process inside, before it becomes the command: at those calls that the one outside never makes, or
/// not so often.
fn killed_inside_at_any_call() {
    let outside = calls(&[]);
    let often = |name: &str| outside.iter().filter(|call| call.name == name).count();
    let moments: Vec<Moment> = calls(&["-f"]).into_iter().filter(|call| call.number > often(&call.name)).collect();
    assert!(moments.len() > 100, "{}", moments.len());
    killed_at(&["-f"], moments.into_iter().step_by(9));
}

/// The `number`-th system call of this name: how strace counts.
struct Moment {
    name: String,
    number: usize,
}

/// The calls that one start makes, in order. With `-f` in `whom` those of the process inside, else those outside.
fn calls(whom: &[&str]) -> Vec<Moment> {
    let tinbox = Tinbox::new();
    let trace = tinbox.path("trace");
    let status = strace(&tinbox, whom, &trace, &[]).status().unwrap();
    assert!(status.success());
    let text = std::fs::read_to_string(trace).unwrap();
    let (mut inside, mut calls): (_, Vec<Moment>) = (None, Vec::new());
    for line in text.lines() {
        // Each line begins with the process, if there are several.
        let (process, line) = if whom.is_empty() { ("", line) } else { line.split_once(' ').unwrap() };
        if !whom.is_empty() {
            let first = inside.get_or_insert(process);
            if *first == process {
                continue;
            }
        }
        let Some((name, _)) = line.trim_start().split_once('(') else { continue };
        if name == "execve" || name == "exit_group" || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        let number = 1 + calls.iter().filter(|call| call.name == name).count();
        calls.push(Moment { name: name.to_owned(), number });
    }
    calls
}

/// `strace … tinbox run …`. A set-user-ID program does not work under strace, so newuidmap is not to be found.
fn strace(tinbox: &Tinbox, whom: &[&str], to: &Path, more: &[String]) -> Command {
    let mut command = Command::new("strace");
    command.args(whom).args(["-qq", "-E", "PATH=/nowhere", "-o"]).arg(to).args(more);
    command.args([TINBOX, "run", "--rm", "--name", "unlucky"]);
    if cgroups::has("memory") {
        command.args(["-m", "64m"]);
    }
    command.args(["base", "true"]).env("TINBOX_ROOT", tinbox.path(""));
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// strace kills the process at these calls. Whatever was done then, the next start finds nothing of it: no file, no
/// mount, no cgroup, and the name is free.
fn killed_at(whom: &[&str], moments: impl Iterator<Item = Moment>) {
    let before = host_mounts();
    let mut had_cgroups = false;
    for Moment { name, number } in moments {
        let tinbox = Tinbox::new();
        let kill = format!("inject={name}:signal=KILL:when={number}");
        strace(&tinbox, whom, Path::new("/dev/null"), &["-e".into(), kill]).status().unwrap();
        let what = format!("killed at {name} number {number}");
        // The lease is what is made first and goes last, and is named by the id.
        let ids: Vec<String> = names_in(&tinbox.path("run"));
        // To look takes its time, in which whoever is about to end does.
        had_cgroups = had_cgroups || ids.iter().any(|id| !cgroups::of_container(id).is_empty());
        // Just after its birth the process inside has a copy of the lease, until it comes to run for the first time.
        for id in &ids {
            std::fs::File::open(tinbox.path("run").join(id)).unwrap().lock().unwrap();
        }
        let next = tinbox.tinbox("run --rm --name unlucky base echo alive");
        assert_eq!((next.status, next.stdout.as_str()), (0, "alive\n"), "{what}: {}", next.stderr);
        assert!(tinbox.leftovers().is_empty(), "{what}: {:?}", tinbox.leftovers());
        let left: Vec<_> = ids.iter().flat_map(|id| cgroups::of_container(id)).collect();
        assert!(left.is_empty(), "{what}: {left:?}");
    }
    assert!(had_cgroups || !whom.is_empty() || !cgroups::any(), "no kill came while there were cgroups");
    assert_eq!(host_mounts(), before);
}

fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
