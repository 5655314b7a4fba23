//! Noting a deletion as overlayfs does (Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories").
//!
//! What is deleted is a character device 0:0, which everybody may make since Linux 5.8. A directory that hides what is
//! below has an extended attribute: `trusted.` for root, and `user.` for an ordinary user, which a tmpfs has only since
//! Linux 6.6. The exercises about layers try a tmpfs, and then the directory for temporary files.

use std::path::Path;

use images::Tree;
use look::kernel::{self, MsFlags};
use namespaces::identity::is_the_machines_root;
use nix::errno::Errno;

use super::child::{Attempt, Refusal};
use super::confinement;
use super::directories::Scratch;
use super::finding::{Advice, Finding};
use super::machine::Machine;
use super::mount_namespace;
use super::needs::Requirement;

const DID: &str = "made a whiteout and an opaque directory, on a tmpfs or else among the temporary files";

/// Notes both, in the mount namespace that this process is in.
pub fn note() -> Attempt {
    // The other comes to lie on top of it.
    let on_disk = Scratch::new(&std::env::temp_dir()).and_then(|scratch| note_in(&scratch.path));
    kernel::mount("tmpfs", "/tmp", "tmpfs", MsFlags::MS_NOSUID, "size=64k", "a place for layers")?;
    note_in(Path::new("/tmp")).or(on_disk)
}

fn note_in(dir: &Path) -> Attempt {
    let noted = || {
        let mut tree = Tree::new(dir, !is_the_machines_root())?;
        tree.whiteout(Path::new("file"))?;
        tree.opaque(Path::new("directory"))
    };
    noted().map_err(|error: anyhow::Error| match error.chain().find_map(|error| error.downcast_ref()) {
        Some(look::Error::Call { call, errno, .. }) => Refusal::new(call, dir.display().to_string(), *errno),
        _ => Refusal::wrong("write", &dir.display().to_string(), &format!("{error:#}")),
    })
}

/// Tries it.
pub fn probe(machine: &Machine) -> Finding {
    Requirement::Deletions.probe(DID, "noted as overlayfs does", machine)
}

/// What stands in the way.
pub fn why(refusal: &Refusal, machine: &Machine) -> Advice {
    match (refusal.call.as_str(), refusal.errno()) {
        ("mount" | "unshare", _) => mount_namespace::why(refusal, machine),
        (call, _) if call.starts_with("write ") => mount_namespace::why(refusal, machine),
        (_, Some(Errno::EOPNOTSUPP)) => Advice::new(
            format!(
                "An ordinary user's layers need attributes of files. Memory keeps them since Linux 6.6 (this is {}), and the \
                 disk with the temporary files does not.",
                machine.release
            ),
            ["export TMPDIR=DIR   # DIR yours, and on ext4, xfs or btrfs"],
        ),
        (_, Some(Errno::EPERM | Errno::EACCES)) => confinement::explain(machine, !machine.is_root()),
        _ => Advice::new(
            "A directory for temporary files is needed that can be written to.",
            ["export TMPDIR=DIR   # DIR yours, and on ext4, xfs or btrfs"],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_its_cause() {
        let user = Machine { uid: 1000, release: "6.1.0".into(), ..Machine::default() };
        let told = |call: &str, errno: Errno, machine: &Machine| {
            let advice = why(&Refusal::new(call, "/tmp", errno), machine);
            format!("{}\n{}", advice.means, advice.fix.join("\n"))
        };
        let old = told("fsetxattr", Errno::EOPNOTSUPP, &user);
        assert!(old.contains("since Linux 6.6 (this is 6.1.0)") && old.contains("export TMPDIR=DIR"), "{old}");
        let confined = Machine { seccomp: true, ..user.clone() };
        assert!(told("mknod", Errno::EPERM, &confined).contains("A seccomp filter"));
        assert!(told("open", Errno::EROFS, &user).contains("can be written to"));
    }
}
