//! A mount table of one's own, and the right to change it.

use look::Result;
use look::kernel::{self, CloneFlags};
use nix::unistd::{getegid, geteuid};

// ANCHOR: own_mounts
/// Moves this process into a mount namespace of its own: it keeps seeing what is mounted now, and can change it
/// without anybody else noticing.
///
/// Root may do so as it is. An ordinary user gets a user namespace first, as in [`own_user`].
pub fn own_mounts() -> Result<()> {
    let mut namespaces = CloneFlags::CLONE_NEWNS;
    if !geteuid().is_root() {
        namespaces |= CloneFlags::CLONE_NEWUSER;
    }
    enter(namespaces, "a mount table that can be changed without the machine noticing")
}
// ANCHOR_END: own_mounts

/// Moves this process, if it is not root's, into a user namespace in which it is.
///
/// Being root there gives every capability over what belongs to that namespace, and none over anything else.
/// See user_namespaces(7); chapter 2 tells the whole story.
pub fn own_user() -> Result<()> {
    if geteuid().is_root() {
        return Ok(());
    }
    enter(CloneFlags::CLONE_NEWUSER, "an ordinary user may not chroot, but root of a namespace may")
}

fn enter(namespaces: CloneFlags, why: &str) -> Result<()> {
    let (uid, gid) = (geteuid(), getegid());
    kernel::unshare(namespaces, why)?;
    if namespaces.contains(CloneFlags::CLONE_NEWUSER) {
        kernel::write_map("self", "setgroups", "deny", "the kernel asks for this before a user may map a group")?;
        kernel::write_map("self", "uid_map", &format!("0 {uid} 1"), "user 0 inside is you outside")?;
        kernel::write_map("self", "gid_map", &format!("0 {gid} 1"), "and group 0 is your group")?;
    }
    Ok(())
}
