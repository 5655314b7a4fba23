//! Tinbox may be killed at any moment. Whatever it was doing, the next start finds nothing half done.

use std::process::{Command, Stdio};

use nix::poll::PollTimeout;
use nix::sys::signal::Signal;

use crate::Test;
use crate::support::need::Need::{Containers, Strace, Unshare};
use crate::support::process::Process;
use crate::support::{Running, TINBOX, Tinbox, cgroups, host_mounts};

pub const TESTS: &[Test] = &[
    ("a_container_does_not_outlive_its_monitor", &[Containers], a_container_does_not_outlive_its_monitor),
    (
        "one_that_does_not_mind_is_ended_by_the_next_start",
        &[Containers, Unshare],
        one_that_does_not_mind_is_ended_by_the_next_start,
    ),
    ("what_a_killed_tinbox_left_is_cleared", &[Containers], what_a_killed_tinbox_left_is_cleared),
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
    let archive = crate::import::archive_of(&tinbox::images::base::Source::Host, &[], |_| {});
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

fn killed_outside_at_any_call() {
    killed_at_any_call(&[]);
}

/// The process inside, before it becomes the command; or the one outside, if that comes first.
fn killed_inside_at_any_call() {
    killed_at_any_call(&["-f"]);
}

/// strace kills the process at its n-th system call. Whatever was done then, the next start finds nothing of it: no
/// file, no mount, no cgroup.
fn killed_at_any_call(whom: &[&str]) {
    let before = host_mounts();
    let limits = if cgroups::has("memory") { "-m 64m" } else { "" };
    let mut reached_the_end = false;
    let mut had_cgroups = false;
    for call in (20..700).step_by(13) {
        let tinbox = Tinbox::new();
        let mut strace = Command::new("strace");
        // A set-user-ID program does not work under strace, so newuidmap is not to be found.
        strace.args(whom).args(["-qq", "-E", "PATH=/nowhere", "-o", "/dev/null"]);
        strace.args(["-e", &format!("inject=all:signal=KILL:when={call}")]);
        strace
            .args([TINBOX, "run", "--rm", "--name", "unlucky"])
            .args(limits.split_whitespace())
            .args(["base", "true"]);
        let silent = strace.env("TINBOX_ROOT", tinbox.path("")).stdin(Stdio::null()).stderr(Stdio::null());
        reached_the_end |= silent.status().unwrap().success();
        // The lease is what is made first and goes last, and is named by the id.
        let ids: Vec<String> = names_in(&tinbox.path("run"));
        had_cgroups |= ids.iter().any(|id| !cgroups::of_container(id).is_empty());
        let next = tinbox.tinbox("run --rm --name unlucky base echo alive");
        assert_eq!((next.status, next.stdout.as_str()), (0, "alive\n"), "killed at call {call}: {}", next.stderr);
        assert!(tinbox.leftovers().is_empty(), "killed at call {call}: {:?}", tinbox.leftovers());
        let left: Vec<_> = ids.iter().flat_map(|id| cgroups::of_container(id)).collect();
        assert!(left.is_empty(), "killed at call {call}: {left:?}");
        if reached_the_end {
            break;
        }
    }
    assert!(reached_the_end, "more calls than this test covers");
    assert!(had_cgroups || !whom.is_empty() || !cgroups::any(), "no kill came while there were cgroups");
    assert_eq!(host_mounts(), before);
}

fn names_in(dir: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
