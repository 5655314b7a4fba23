//! A cgroup of v2 to make others in: cgroups(7), "Cgroups delegation".
//!
//! For this no controller is needed, so that it works beside v1 too. What is needed is the right to change the cgroup
//! that one is in: whoever moves a process must be allowed to change what is above its old and its new cgroup.

use std::path::PathBuf;

use look::cgroups::{directories_of, hierarchies};
use nix::unistd::Pid;

use super::cgroup_advice;
use super::cgroup_limits::move_into;
use super::child::{Attempt, Refusal};
use super::finding::{Advice, Finding};
use super::machine::Machine;
use super::needs::Requirement;

const DID: &str = "made a cgroup in your own one of cgroup v2, moved a process into it, and removed it";

/// Makes one and moves a process into it.
pub fn make() -> Attempt {
    let own = directories_of(Pid::this())?.into_iter().find(|(hierarchy, _)| hierarchy == "v2");
    let nowhere = || Refusal::wrong("read", "/proc/self/cgroup", "your cgroup is not below a mount of cgroup v2");
    move_into(&own.ok_or_else(nowhere)?.1)
}

/// Tries it.
pub fn probe(machine: &Machine) -> Finding {
    Requirement::OwnCgroup.probe(DID, "made, and moved into", machine)
}

/// Why it cannot be made.
pub fn why(refusal: &Refusal, machine: &Machine) -> Advice {
    if refusal.errno.is_none() {
        return Advice::new(
            "Exercise 3.2 makes a cgroup of version 2, and no tree of that version is mounted where you can be seen.",
            ["# for this time:", "sudo mount -t cgroup2 cgroup2 /mnt"],
        );
    }
    if machine.is_root() || machine.engine.is_some() {
        return cgroup_advice::why(refusal, machine);
    }
    let means = "The cgroup that you are in belongs to root. To make one and move into it, you need one that was \
                 delegated to you.";
    if machine.systemd {
        return Advice::new(
            means,
            [
                "# a shell in a cgroup of your own, and the check in there:",
                "systemd-run --user --scope -p Delegate=yes bash",
            ],
        );
    }
    let top = hierarchies().unwrap_or_default().into_iter().find(|tree| tree.is_v2());
    let group = top.map_or_else(|| PathBuf::from("/sys/fs/cgroup"), |tree| tree.mount).join(&machine.user);
    let group = group.display();
    Advice::new(
        means,
        [
            format!("sudo mkdir -p {group}"),
            format!("sudo chown {} {group} {group}/cgroup.procs", machine.user),
            format!("echo $$ | sudo tee {group}/cgroup.procs   # moves this shell there"),
        ],
    )
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn each_refusal_has_its_way_out() {
        let forbidden = Refusal::new("mkdir", "/sys/fs/cgroup/x", Errno::EACCES);
        let user = Machine { uid: 1000, user: "me".into(), systemd: true, ..Machine::default() };
        let told = |refusal: &Refusal, machine: &Machine| why(refusal, machine).fix.join("\n");
        assert!(told(&forbidden, &user).contains("systemd-run --user --scope -p Delegate=yes"));
        assert!(told(&forbidden, &Machine { systemd: false, ..user.clone() }).contains("sudo chown me /"));
        assert!(told(&Refusal::wrong("read", "/proc/self/cgroup", "nowhere"), &user).contains("mount -t cgroup2"));
        assert!(why(&forbidden, &Machine { uid: 0, ..user }).means.contains("Even root"));
    }
}
