//! A mount table of one's own: mount_namespaces(7).

use look::kernel::{self, MsFlags};
use nix::errno::Errno;

use super::child::{Attempt, Refusal, private_mounts};
use super::finding::{Advice, Finding};
use super::machine::Machine;
use super::needs::Requirement;
use super::{confinement, user_namespace};

const DID: &str =
    "made a mount namespace (an ordinary user: in a user namespace), cut it off, and mounted a tmpfs in it";

/// Moves this process into one and mounts in it.
pub fn enter() -> Attempt {
    private_mounts()?;
    Ok(kernel::mount("tmpfs", "/", "tmpfs", MsFlags::MS_NOSUID, "size=64k", "any place will do")?)
}

/// Tries it.
pub fn probe(machine: &Machine) -> Finding {
    Requirement::MountNamespaces.probe(DID, "made, and a tmpfs mounted in it", machine)
}

/// What stands in the way.
pub fn why(refusal: &Refusal, machine: &Machine) -> Advice {
    match refusal.errno() {
        _ if is_before_the_mounts(refusal) => user_namespace::why(refusal, machine),
        Some(Errno::ENOSPC) => user_namespace::limit("user.max_mnt_namespaces", machine),
        Some(Errno::EPERM | Errno::EACCES) => confinement::explain(machine, !machine.is_root()),
        _ => Advice::only("This answer is not among those that the manual pages unshare(2) and mount(2) speak of."),
    }
}

/// Whether it failed where a user namespace alone would have.
fn is_before_the_mounts(refusal: &Refusal) -> bool {
    refusal.call.starts_with("write ") || refusal.call == "unshare" && refusal.object == "NEWUSER"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::surroundings::Engine;

    fn told(call: &str, object: &str, errno: Errno, machine: &Machine) -> String {
        let advice = why(&Refusal::new(call, object, errno), machine);
        format!("{}\n{}", advice.means, advice.fix.join("\n"))
    }

    #[test]
    fn each_answer_has_its_cause() {
        let mut none = Machine { uid: 1000, ..Machine::default() };
        none.sysctls.insert("user.max_mnt_namespaces", 0);
        assert!(told("unshare", "NEWNS", Errno::ENOSPC, &none).contains("sysctl -w user.max_mnt_namespaces=15000"));

        let mut ubuntu = Machine { uid: 1000, ..Machine::default() };
        ubuntu.sysctls.insert("kernel.apparmor_restrict_unprivileged_userns", 1);
        assert!(told("mount", "/", Errno::EACCES, &ubuntu).contains("/etc/apparmor.d/tinbox"));
        assert!(told("write uid_map", "0 1000 1", Errno::EPERM, &ubuntu).contains("/etc/apparmor.d/tinbox"));

        let docker = Machine { uid: 0, engine: Some(Engine::Docker), seccomp: true, ..Machine::default() };
        assert!(told("unshare", "NEWNS", Errno::EPERM, &docker).contains("--cap-add SYS_ADMIN"));

        let bare = Machine::default();
        assert!(told("unshare", "NEWNS", Errno::EPERM, &bare).contains("without the capabilities of root"));
    }
}
