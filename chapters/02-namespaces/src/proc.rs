//! `/proc`, for the PID namespace of whoever mounts it.

use std::os::fd::{AsFd, OwnedFd};

use chroot::inside::Root;
use look::kernel::{self, MsFlags, Target};
use look::{Error, Result};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

// ANCHOR: mount_proc
/// Mounts a new `/proc` in `root`. It shows the processes of the PID namespace that this process is in, and goes on
/// to do so whoever looks at it.
pub fn mount_proc(root: &Root) -> Result<()> {
    let proc = mount_point(root, "proc")?;
    let target = Target { fd: proc.as_fd(), name: "/proc" };
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    kernel::mount_on(
        "proc",
        target,
        "proc",
        flags,
        "",
        "shows the processes of whoever mounts it: of this PID namespace",
    )
}
// ANCHOR_END: mount_proc

/// Opens a directory at the top of an image to mount on, and makes it if the image lacks it. No symlink is
/// followed: an image whose `/proc` is one is refused, rather than mounted wherever it points.
pub fn mount_point(root: &Root, name: &str) -> Result<OwnedFd> {
    let look = || root.open_no_symlinks(name, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty());
    let mut opened = look();
    if let Err(Errno::ENOENT) = opened {
        kernel::mkdir(root.as_fd(), name, 0o755, "the image has no such directory")?;
        opened = look();
    }
    opened.map_err(|errno| Error::call("openat2", format!("/{name} of the image"), errno))
}
