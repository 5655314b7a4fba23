//! Calls on mounts that are not mounted anywhere yet: a copy of a mount is taken in one place, or one mount namespace, and
//! put down in another. Linux 5.2.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::Target;
use crate::error::Result;
use crate::tell::told;

/// `open_tree(2)` with `OPEN_TREE_CLONE`: a copy of the mount that is opened as `mount`, which is nowhere yet. `EINVAL` if
/// that mount is in another mount namespace than this process.
pub fn open_tree(mount: BorrowedFd<'_>, name: &str, why: &str) -> Result<OwnedFd> {
    let flags = libc::AT_EMPTY_PATH as u32 | libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC;
    told(
        "open_tree",
        || name.to_owned(),
        why,
        || {
            // SAFETY: the path is a NUL-terminated literal, the rest are integers.
            let answer = unsafe { libc::syscall(libc::SYS_open_tree, mount.as_raw_fd(), c"".as_ptr(), flags) };
            let fd = Errno::result(answer)?;
            // SAFETY: the kernel made a new descriptor that nobody else owns.
            Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
        },
    )
}

/// `move_mount(2)`: puts `tree`, which is nowhere yet, on an opened target.
pub fn move_mount(tree: BorrowedFd<'_>, name: &str, target: Target<'_>, why: &str) -> Result<()> {
    told(
        "move_mount",
        || format!("{name} on {}", target.name),
        why,
        || {
            // SAFETY: the paths are NUL-terminated literals, the rest are integers.
            let answer = unsafe {
                libc::syscall(
                    libc::SYS_move_mount,
                    tree.as_raw_fd(),
                    c"".as_ptr(),
                    target.fd.as_fd().as_raw_fd(),
                    c"".as_ptr(),
                    libc::MOVE_MOUNT_F_EMPTY_PATH | libc::MOVE_MOUNT_T_EMPTY_PATH,
                )
            };
            Errno::result(answer).map(drop)
        },
    )
}
