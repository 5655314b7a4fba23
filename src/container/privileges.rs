//! What root in a container may not: the last step before the command.
//!
//! Docker's default set of capabilities less MKNOD, and `no_new_privs` on top. (Docker can leave MKNOD to root because
//! a device cgroup guards what is made with it; here that comes with chapter 3.) System call filters, masks and finer
//! choices are chapter 8's.

use look::Result;
use look::kernel::{self, CapabilitySet, CloneFlags};
use nix::unistd::{Gid, Uid};

use crate::container::plan::Plan;

/// What a program that thinks it is root needs to install packages, bind port 80 or change to another user.
const KEPT: [&str; 13] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

/// Becomes the user of the plan, with no more privileges than such a user has in a container.
pub fn drop_privileges(plan: &Plan) -> Result<()> {
    let keep = CapabilitySet::of(&KEPT);
    kernel::drop_bounding(keep, "powers over the machine that no program here ever gets back")?;
    if plan.rootless {
        become_another_user(plan)?;
    } else {
        let groups: Vec<Gid> = plan.user.groups.iter().copied().map(Gid::from_raw).collect();
        kernel::setgroups(&groups, "the groups that the image gives this user, and none of the host's")?;
    }
    kernel::setresgid(Gid::from_raw(plan.user.gid), "its group: real, effective and saved")?;
    kernel::setresuid(Uid::from_raw(plan.user.uid), "its user: real, effective and saved")?;
    let keep = if plan.user.uid == 0 { keep } else { CapabilitySet::of(&[]) };
    kernel::set_capabilities(keep, "and of root's powers only these")?;
    kernel::no_new_privs("set-user-ID programs do not give any of it back")
}

/// An ordinary user has one id to give away, and gave it to root, who made the container. For another user there is
/// one more user namespace, in which that same id has another number. (And setgroups is forbidden here: it could
/// take away a group that is there to deny something.)
fn become_another_user(plan: &Plan) -> Result<()> {
    let (uid, gid) = (plan.user.uid, plan.user.gid);
    if (uid, gid) == (0, 0) {
        return Ok(());
    }
    kernel::unshare(CloneFlags::CLONE_NEWUSER, "a user namespace in which your one id has another number")?;
    kernel::write_map("self", "uid_map", &format!("{uid} 0 1"), "the user of the container")?;
    kernel::write_map("self", "gid_map", &format!("{gid} 0 1"), "and its group")
}
