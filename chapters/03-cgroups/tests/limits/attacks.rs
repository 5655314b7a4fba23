//! The attacks work without limits, as in chapter 2, and die quietly within limits.

use crate::Test;
use crate::support::ch03;
use crate::support::need::Need::{Containers, Controller};

pub const TESTS: &[Test] = &[
    ("a_fork_bomb_hurts_without_limits", &[Containers], a_fork_bomb_hurts_without_limits),
    ("a_fork_bomb_stops_at_its_limit", &[Containers, Controller("pids")], a_fork_bomb_stops_at_its_limit),
    ("a_memory_hog_hurts_without_limits", &[Containers], a_memory_hog_hurts_without_limits),
    ("a_memory_hog_is_killed_at_its_limit", &[Containers, Controller("memory")], a_memory_hog_is_killed_at_its_limit),
    ("only_who_is_inside_pays", &[Containers, Controller("memory")], only_who_is_inside_pays),
    ("attacks_have_a_ceiling", &[], attacks_have_a_ceiling),
];

fn a_fork_bomb_hurts_without_limits() {
    assert_eq!(ch03("run ROOT fork-bomb 100").ok(), "100 processes: nobody stopped me\n");
}

fn a_fork_bomb_stops_at_its_limit() {
    let ended = ch03("run --pids-limit 20 ROOT fork-bomb 100");
    assert_eq!(
        (ended.status, ended.stdout.as_str()),
        (1, "19 processes, and then fork: EAGAIN: Try again\n"),
        "{ended:?}"
    );
}

fn a_memory_hog_hurts_without_limits() {
    assert_eq!(ch03("run ROOT memory-hog 64").ok(), "64 MiB: nobody stopped me\n");
}

fn a_memory_hog_is_killed_at_its_limit() {
    let ended = ch03("run --memory 16m --memory-swap 16m ROOT memory-hog 64");
    assert_eq!((ended.status, ended.stdout.as_str()), (137, ""), "{ended:?}");
    assert!(ended.stderr.contains("out of memory: it wanted more than 16 MiB"), "{ended:?}");
}

fn only_who_is_inside_pays() {
    let ended = ch03("run --memory 32m --memory-swap 32m ROOT memory-hog 8");
    assert_eq!(ended.ok(), "8 MiB: nobody stopped me\n");
    assert!(!ended.stderr.contains("out of memory"), "{ended:?}");
}

fn attacks_have_a_ceiling() {
    for (attack, too_much) in [(env!("CARGO_BIN_EXE_fork-bomb"), "2001"), (env!("CARGO_BIN_EXE_memory-hog"), "1025")] {
        let output = std::process::Command::new(attack).arg(too_much).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{attack}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("usage: "), "{attack}");
    }
}
