//! Being root of the stand-in.

use look::kernel::{self, CloneFlags, Cloned};
use look::{Error, Result};
use namespaces::identity::{Identity, Lent};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getegid, geteuid, read, write};

use crate::Answer;

/// Makes this process root: of the machine, if it is that already, else of a user namespace. An answer that changes
/// its ids needs more of them than the one that an ordinary user has.
pub(crate) fn become_root(answer: Answer) -> Result<()> {
    match answer {
        Answer::DropPrivileges(_) if !geteuid().is_root() => with_lent_ids(),
        _ => chroot::own_user(),
    }
}

/// Moves into a user namespace with the ids that the administrator lent to this user. They are written by
/// set-user-ID programs from outside, so somebody has to stay there.
fn with_lent_ids() -> Result<()> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    let none = || Error::Content {
        object: "/etc/subuid and /etc/subgid".into(),
        problem: "no other users are lent to you, or there is no newuidmap".into(),
    };
    let identity = Identity::new((uid, gid), false, Some(Lent::to(uid).ok_or_else(none)?));
    let failed = |errno| Error::call("pipe", "to a process outside", errno);
    let (moved, say_moved) = nix::unistd::pipe().map_err(failed)?;
    let me = Pid::this();
    match kernel::clone3(CloneFlags::empty(), None, "somebody to write the maps from outside")? {
        Cloned::Child => {
            drop(say_moved);
            let written = matches!(read(&moved, &mut [0]), Ok(1)) && report(identity.map(me));
            std::process::exit(if written { 0 } else { 1 })
        }
        Cloned::Parent { pid, .. } => {
            kernel::unshare(
                CloneFlags::CLONE_NEWUSER,
                "an ordinary user may not change users, but root of a namespace may",
            )?;
            write(&say_moved, b".").map_err(failed)?;
            match waitpid(pid, None) {
                Ok(WaitStatus::Exited(_, 0)) => Ok(()),
                _ => Err(none()),
            }
        }
    }
}

fn report(done: Result<()>) -> bool {
    done.inspect_err(|error| eprintln!("subject: {error}")).is_ok()
}
