//! The life of a group: made, joined, frozen, killed, taken away; by several at once, and after a kill.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use cgroups::{Group, Limits, remove_leftover};
use nix::poll::{PollFd, PollFlags, poll};

use crate::Test;
use crate::support::need::Need::{Cgroups, Controller, PureV2, Root};
use crate::support::{Made, cgroups_named, ended, id};

pub const TESTS: &[Test] = &[
    ("usage_is_what_was_used", &[Controller("memory")], usage_is_what_was_used),
    ("limits_are_read_back", &[Controller("memory"), Controller("pids"), Controller("cpu")], limits_are_read_back),
    ("frozen_processes_hold_still", &[Cgroups], frozen_processes_hold_still),
    ("kill_ends_everybody", &[Cgroups], kill_ends_everybody),
    ("a_leftover_is_taken_away_by_its_name", &[Cgroups], a_leftover_is_taken_away_by_its_name),
    ("cgroups_made_inside_go_too", &[Cgroups], cgroups_made_inside_go_too),
    ("many_come_and_go_at_once", &[Cgroups], many_come_and_go_at_once),
    ("a_limit_that_cannot_be_had_leaves_nothing", &[Cgroups], a_limit_that_cannot_be_had_leaves_nothing),
    ("limits_of_every_kind", &[Root, PureV2, Controller("cpuset")], limits_of_every_kind),
];

/// `cat` in the group: it answers what it is sent, as long as it runs.
fn cat(made: &Made) -> Child {
    let mut child = made.command("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(ask(&mut child), Some(b'x'));
    child
}

fn ask(child: &mut Child) -> Option<u8> {
    child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    answer(child, 10_000)
}

/// What it says within so many milliseconds.
fn answer(child: &mut Child, patience: u16) -> Option<u8> {
    let out = child.stdout.as_mut().unwrap();
    let mut readable = [PollFd::new(out.as_fd(), PollFlags::POLLIN)];
    if poll(&mut readable, patience).unwrap() == 0 {
        return None;
    }
    let mut byte = [0];
    out.read_exact(&mut byte).unwrap();
    Some(byte[0])
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    child.wait().unwrap();
}

fn usage_is_what_was_used() {
    let made = Made::new("usage", &Limits::default());
    let before = made.0.usage();
    let child = cat(&made);
    let during = made.0.usage();
    assert_eq!((before.pids, during.pids), (Some(0), Some(1)));
    assert!(during.memory > before.memory, "{during:?}");
    assert!(during.cpu_us > before.cpu_us, "{during:?}");
    let known_to_others = Group::open(&made.1).unwrap().usage();
    assert_eq!(known_to_others.pids, Some(1));
    end(child);
}

fn limits_are_read_back() {
    let limits = Limits { memory: Some(64 << 20), pids: Some(20), cpus: Some(250_000_000), ..Limits::default() };
    let usage = Made::new("limits", &limits).0.usage();
    assert_eq!((usage.memory_limit, usage.pids_limit, usage.cpu_limit), (Some(64 << 20), Some(20), Some(250_000_000)));
}

fn frozen_processes_hold_still() {
    let made = Made::new("frozen", &Limits::default());
    let mut child = cat(&made);
    made.0.freeze().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"y").unwrap();
    assert_eq!(answer(&mut child, 200), None);
    // Any process may let it go on.
    Group::open(&made.1).unwrap().thaw().unwrap();
    assert_eq!(answer(&mut child, 10_000), Some(b'y'));
    end(child);
}

fn kill_ends_everybody() {
    let made = Made::new("kill", &Limits::default());
    let mut children = [cat(&made), cat(&made)];
    made.0.freeze().unwrap();
    made.0.kill().unwrap();
    for child in &mut children {
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
    }
    made.0.remove().unwrap();
    assert_eq!(cgroups_named(&made.1), [""; 0].map(std::path::PathBuf::from));
    made.0.remove().unwrap();
}

fn a_leftover_is_taken_away_by_its_name() {
    let made = Made::new("leftover", &Limits::default());
    let mut child = cat(&made);
    assert!(!cgroups_named(&made.1).is_empty());
    remove_leftover(&made.1).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
    assert!(cgroups_named(&made.1).is_empty() && Group::open(&made.1).is_none());
    remove_leftover(&made.1).unwrap();
    remove_leftover("../tinbox").unwrap();
}

fn cgroups_made_inside_go_too() {
    let made = Made::new("nested", &Limits::default());
    for dir in cgroups_named(&made.1) {
        std::fs::create_dir_all(dir.join("a/b")).unwrap();
        std::fs::create_dir(dir.join("c")).unwrap();
    }
    made.0.remove().unwrap();
    assert!(cgroups_named(&made.1).is_empty());
}

fn many_come_and_go_at_once() {
    let all_gone = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Somebody who takes away what is empty at just that moment.
        scope.spawn(|| {
            while !all_gone.load(Ordering::Relaxed) {
                cgroups::tidy();
            }
        });
        let worker = |number| {
            for round in 0..20 {
                let made = Made::new(&format!("many-{number}-{round}"), &Limits::default());
                ended(&mut made.command("true")).ok();
                made.0.remove().unwrap();
            }
        };
        let workers = [0, 1, 2].map(|number| scope.spawn(move || worker(number)));
        let outcomes = workers.map(std::thread::ScopedJoinHandle::join);
        all_gone.store(true, Ordering::Relaxed);
        assert!(outcomes.iter().all(Result::is_ok), "see the panic above");
    });
}

fn a_limit_that_cannot_be_had_leaves_nothing() {
    fn unknown(_: &Limits) -> Vec<cgroups::Setting> {
        vec![cgroups::Setting::new("no_such", "no_such.max", "1")]
    }
    let id = id("refused");
    let error = Group::create(&id, &Limits::default(), None, unknown).unwrap_err().to_string();
    assert!(error.starts_with("limit no_such: ") && error.contains("help: "), "{error}");
    assert!(cgroups_named(&id).is_empty());
}

fn limits_of_every_kind() {
    let limits = Limits {
        memory: Some(64 << 20),
        memory_swap: Some(96 << 20),
        memory_reservation: Some(32 << 20),
        cpus: Some(500_000_000),
        cpu_shares: Some(512),
        cpuset_cpus: Some("0".into()),
        cpuset_mems: Some("0".into()),
        pids: Some(20),
        ..Limits::default()
    };
    let made = Made::new("every", &limits);
    let read = |file: &str| std::fs::read_to_string(cgroups_named(&made.1)[0].join(file)).unwrap();
    for setting in cgroups::settings(&limits) {
        assert_eq!(read(&setting.file).trim(), setting.value, "{}", setting.file);
    }
}
