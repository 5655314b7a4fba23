//! The probes, run where something is really forbidden.
//!
//! Each test makes its own small world in a child: a user namespace in which this test is an ordinary user, with a
//! setting changed, a mount put somewhere, a filter installed. That works as root and as an ordinary user, touches
//! nothing of the machine, and ends with the child. What no world of ours can show (Ubuntu's AppArmor, WSL, old
//! kernels) is in the tables of the `why` functions.

mod confined;
mod places;
mod rules;

use look::kernel::{self, CloneFlags, MsFlags};
use nix::unistd::{getegid, geteuid};

use super::child::{Attempt, in_child};
use super::finding::Finding;
use super::machine::Machine;
use super::{Requirement, blocked_by, examine};

/// A finding, as it comes out of a child.
#[derive(Debug)]
struct Found {
    outcome: String,
    said: String,
    advice: String,
}

/// What `probe` finds in the world that `world` makes around it.
fn found_in(world: impl FnOnce() -> Attempt, probe: impl FnOnce(&Machine) -> Finding) -> Found {
    let (outcome, said, advice) = in_child(|| {
        world()?;
        let finding = probe(&Machine::here());
        let advice = finding.advice.map(|advice| format!("{}\n{}", advice.means, advice.fix.join("\n")));
        Ok((format!("{:?}", finding.outcome), finding.said, advice.unwrap_or_default()))
    })
    .unwrap_or_else(|refusal| panic!("blocked: this machine does not let a test make its world: {refusal}"));
    Found { outcome, said, advice }
}

/// User and mount namespaces in which this process is `uid`, with every capability.
fn namespaces_as(uid: u32) -> Attempt {
    let (outer_uid, outer_gid) = (geteuid(), getegid());
    kernel::unshare(CloneFlags::CLONE_NEWUSER, "a world to change")?;
    kernel::write_map("self", "setgroups", "deny", "before the groups")?;
    kernel::write_map("self", "uid_map", &format!("{uid} {outer_uid} 1"), "one id")?;
    kernel::write_map("self", "gid_map", &format!("{uid} {outer_gid} 1"), "one id")?;
    kernel::unshare(CloneFlags::CLONE_NEWNS, "a world to change")?;
    Ok(kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", "nothing travels back")?)
}

/// A world with nothing changed, in which this process is an ordinary user.
fn as_a_user() -> Attempt {
    namespaces_as(1000)
}

const EVERYTHING: [Requirement; 3] = [Requirement::KernelCalls, Requirement::NetworkNamespaces, Requirement::NewProc];

#[test]
fn nothing_is_blocked_where_nothing_is_forbidden() {
    assert_eq!(blocked_by(&EVERYTHING), None);
    assert_eq!(in_child(|| as_a_user().map(|()| blocked_by(&EVERYTHING).map(|b| b.to_string()))), Ok(None));
}

#[test]
fn an_examination_leaves_nothing_behind() {
    let (before, after) = in_child(|| {
        as_a_user()?;
        let before = traces();
        examine(&Machine::here());
        blocked_by(&EVERYTHING);
        Ok((before, traces()))
    })
    .unwrap();
    assert_eq!(before, after);
    assert!(before.contains("mountinfo") && before.contains(" / "), "the traces show something: {before}");
}

/// What a careless probe would leave: mounts, descriptors, children, namespaces, and scratch directories.
fn traces() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let names = |dir: &str| {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names.join(" ")
    };
    let mut text = String::new();
    for file in ["/proc/self/mountinfo", "/proc/self/cgroup", "/proc/thread-self/children"] {
        text += &format!("{file}: {}\n", read(file));
    }
    let machine = Machine::here();
    let state = super::directories::state_directory(&machine, |name| std::env::var(name).ok()).unwrap();
    let mine = format!("doctor-{}", std::process::id());
    for dir in [machine.target, super::directories::nearest(&state)] {
        let scratch = names(&dir.to_string_lossy()).split(' ').filter(|name| name.contains(&mine)).count();
        text += &format!("{}: {scratch} scratch\n", dir.display());
    }
    for kind in ["mnt", "user", "pid", "net", "pid_for_children"] {
        text += &format!("{kind}: {:?}\n", std::fs::read_link(format!("/proc/self/ns/{kind}")));
    }
    text + &format!("fd: {}\n", names("/proc/self/fd"))
}
