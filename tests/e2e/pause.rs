//! Holding a container still, and what it uses.

use std::io::Write;

use crate::Test;
use crate::support::Tinbox;
use crate::support::need::Need::{Cgroups, Containers, Controller, NoDelegation};

pub const TESTS: &[Test] = &[
    ("a_paused_container_holds_still", &[Containers, Cgroups], a_paused_container_holds_still),
    ("a_paused_container_can_be_removed", &[Containers, Cgroups], a_paused_container_can_be_removed),
    ("one_that_cannot_be_paused", &[Containers], one_that_cannot_be_paused),
    ("without_a_cgroup_there_is_no_pausing", &[Containers, NoDelegation], without_a_cgroup),
    ("stats_tell_what_is_used", &[Containers, Controller("memory"), Controller("pids")], stats_tell_what_is_used),
];

const ECHO: &str = "echo ready; exec cat";

fn a_paused_container_holds_still() {
    let tinbox = Tinbox::new();
    let mut running = tinbox.start("--name still", ECHO);
    assert_eq!(tinbox.tinbox("pause still").ok(), "still\n");
    assert!(tinbox.tinbox("ps").ok().contains("(Paused)"));
    running.stdin.as_mut().unwrap().write_all(b"are you there\n").unwrap();
    // Its command is stopped wherever it is: no stretch of processor time is counted to it any more.
    let used = || std::fs::read_to_string(format!("/proc/{}/schedstat", running.init())).unwrap();
    let before = used();
    assert!(tinbox.tinbox("ps").ok().contains("(Paused)"));
    assert_eq!(used(), before);
    assert_eq!(tinbox.tinbox("unpause still").ok(), "still\n");
    assert_eq!(running.line(), "are you there");
    assert!(!tinbox.tinbox("ps").ok().contains("(Paused)"));
    assert_eq!(running.end(), 0);
}

fn a_paused_container_can_be_removed() {
    let tinbox = Tinbox::new();
    let mut running = tinbox.start("--name stuck", ECHO);
    tinbox.tinbox("pause stuck").ok();
    assert_eq!(tinbox.tinbox("rm --force stuck").ok(), "stuck\n");
    assert_eq!(running.wait(), 137);
    assert!(tinbox.leftovers().is_empty());
}

fn one_that_cannot_be_paused() {
    let tinbox = Tinbox::new();
    assert!(tinbox.tinbox("pause nobody").fails(1).contains("No such container: nobody"));
    tinbox.tinbox("run --name over base true").ok();
    assert!(tinbox.tinbox("pause over").fails(1).contains("container over is not running"));
}

fn without_a_cgroup() {
    let tinbox = Tinbox::new();
    let running = tinbox.start("--name free", ECHO);
    let says = tinbox.tinbox("pause free").fails(1);
    assert!(says.contains("container free has no cgroup") && says.contains("Delegate=yes"), "{says}");
    assert_eq!(running.end(), 0);
}

fn stats_tell_what_is_used() {
    let tinbox = Tinbox::new();
    let running = tinbox.start("--name one -m 64m", ECHO);
    let table = tinbox.tinbox("stats --no-stream").ok();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(lines[0].starts_with("CONTAINER ID"), "{table}");
    assert!(lines[1].contains(" one ") && lines[1].contains("/ 64.00MiB") && lines[1].ends_with(" 1"), "{table}");
    assert!(tinbox.tinbox("stats --no-stream two").fails(1).contains("No such container: two"));
    assert_eq!(running.end(), 0);
}
