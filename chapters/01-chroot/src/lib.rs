//! # Chapter 1: a root of its own
//!
//! Every absolute path that a process uses starts at *its* root. The kernel keeps that root for each process,
//! and lets it be changed. So the first step to a container is to say: from now on, `/` is this directory.
//!
//! There are two ways.
//!
//! **[`naive_root`]: `chroot(2)`**, from 1979. It changes one pointer, the place where look-ups of `/` start and
//! beyond which `..` does not go. It changes nothing else: the old tree is still mounted, and whatever is
//! already open or is the working directory stays where it was. A process with `CAP_SYS_CHROOT` walks out in
//! four calls: `attacks/escape.rs`. chroot was never meant as a wall, and its man page says so.
//!
//! **[`enter_root`]: `pivot_root(2)`**. First the process gets a mount namespace: a mount table of its own
//! ([`own_mounts`]). In that table the new root becomes the root *mount*, and the old one is unmounted. Now there
//! is no way out by walking, because outside is not there: no path, no `..`, no mount leads to it.
//!
//! Between the two lies the point of this chapter: a wall that is a rule for look-ups can be talked around; a
//! tree that is not mounted cannot be reached.
//!
//! ## What is simplified here
//!
//! - The binary of this chapter changes the root and nothing else. It still sees and may signal every process,
//!   has the machine's host name, and as root has all of root's powers, `mknod` of a disk included. The chapters
//!   that follow take these away one at a time.
//! - As an ordinary user it needs a user namespace to be allowed any of this. Here that is three writes to
//!   `/proc`; chapter 2 explains them.
//!
//! ## What real runtimes do more
//!
//! - They prepare the new root (`/proc`, `/dev`, volumes) through descriptors, so that a symlink in an image
//!   cannot lead a mount astray: [`inside`] is where this course begins to do so.
//! - They make the old tree `slave` instead of `private` where a volume must see later mounts of the host.
//! - On an initramfs, which cannot be pivoted away from, they fall back to moving the mount and a chroot.

pub mod inside;
mod own_mounts;

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use look::Result;
use look::kernel::{self, MntFlags, MsFlags};

pub use own_mounts::{own_mounts, own_user};

// ANCHOR: naive_root
/// Makes `root` the place where this process's paths start, with chroot(2): the simple way, and no wall.
///
/// Afterwards `/` and the working directory are `root`. Needs `CAP_SYS_CHROOT`.
pub fn naive_root(root: &Path) -> Result<()> {
    // SOLUTION: naive_root
    kernel::chroot(root, "absolute paths start here from now on")?;
    kernel::chdir("/", "the working directory was still outside")
    // SOLUTION_END
}
// ANCHOR_END: naive_root

// ANCHOR: enter_root
/// Makes `root`, with everything mounted below it, the whole file tree of this process, with pivot_root(2).
///
/// Afterwards `/` and the working directory are `root`, and nothing outside it is mounted any more. The caller
/// is in a mount namespace of its own ([`own_mounts`]) and has `CAP_SYS_ADMIN` there; no other mount namespace
/// notices anything.
pub fn enter_root(root: &Path) -> Result<()> {
    // SOLUTION: enter_root
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    kernel::mount("", "/", "", private, "", "mounts made from here on stay in this namespace")?;
    if !is_mount_point(root) {
        let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
        kernel::mount(root, root, "", bind, "", "pivot_root wants a mount, not a mere directory")?;
    }
    kernel::chdir(root, "stand on the new root while the roots change")?;
    kernel::pivot_root(".", ".", "the new root becomes /, and the old one lies on top of it")?;
    kernel::umount(".", MntFlags::MNT_DETACH, "take the old root away, with all that is mounted in it")?;
    kernel::chdir("/", "stand in the new root, not in what was just unmounted")
    // SOLUTION_END
}
// ANCHOR_END: enter_root

// SOLUTION: enter_root
/// Whether `path` is itself the root of a mount (statx(2), `STATX_ATTR_MOUNT_ROOT`).
fn is_mount_point(path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: all fields are integers, for which zero is valid.
    let mut answer: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: the path is NUL-terminated, and the answer is a structure of the size the kernel fills in.
    let done = unsafe { libc::statx(libc::AT_FDCWD, path.as_ptr(), 0, 0, &raw mut answer) };
    let mount_root = libc::STATX_ATTR_MOUNT_ROOT as u64;
    done == 0 && answer.stx_attributes_mask & answer.stx_attributes & mount_root != 0
}
// SOLUTION_END
