//! Tinbox may be killed at any moment. Whatever it was doing, the next start finds nothing half done.

use std::process::{Command, Stdio};

use nix::poll::PollTimeout;
use nix::sys::signal::Signal;

use crate::Test;
use crate::support::need::Need::{Containers, Strace, Unshare};
use crate::support::process::Process;
use crate::support::{Running, TINBOX, Tinbox, host_mounts};

pub const TESTS: &[Test] = &[
    ("a_container_does_not_outlive_its_monitor", &[Containers], a_container_does_not_outlive_its_monitor),
    (
        "one_that_does_not_mind_is_ended_by_the_next_start",
        &[Containers, Unshare],
        one_that_does_not_mind_is_ended_by_the_next_start,
    ),
    ("what_a_killed_tinbox_left_is_cleared", &[Containers], what_a_killed_tinbox_left_is_cleared),
    ("killed_at_any_call", &[Containers, Strace], killed_at_any_call),
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

/// strace kills the process at its n-th system call: outside at each of them, or in the container's first process
/// before it becomes the command.
fn killed_at_any_call() {
    let before = host_mounts();
    let mut reached_the_end = false;
    for call in (20..400).step_by(13) {
        let tinbox = Tinbox::new();
        let status = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject=all:signal=KILL:when={call}")])
            .args([TINBOX, "run", "--rm", "--name", "unlucky", "base", "true"])
            .env("TINBOX_ROOT", tinbox.path(""))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        reached_the_end |= status.success();
        let next = tinbox.tinbox("run --rm --name unlucky base echo alive");
        assert_eq!((next.status, next.stdout.as_str()), (0, "alive\n"), "killed at call {call}: {}", next.stderr);
        assert!(tinbox.leftovers().is_empty(), "killed at call {call}: {:?}", tinbox.leftovers());
        if reached_the_end {
            break;
        }
    }
    assert!(reached_the_end, "more calls than this test covers");
    assert_eq!(host_mounts(), before);
}
