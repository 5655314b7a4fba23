//! With the machine's network, its way of finding names: `/etc/hosts` and `/etc/resolv.conf` of the machine, read-only.
//! (A network of a container's own has nobody to ask; chapter 6 gives it somebody.)

use std::os::fd::AsFd;
use std::path::Path;

use anyhow::Result;
use chroot::inside::Root;
use look::Error;
use look::kernel::{self, Target};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

/// Shows them in `tree`, where the machine has them.
pub fn share(tree: &Root) -> Result<()> {
    for path in ["/etc/hosts", "/etc/resolv.conf"] {
        // resolv.conf is often a link into /run.
        let Ok(real) = std::fs::canonicalize(path) else { continue };
        let machine = Root::new(Path::new("/"))?;
        let file = machine.open_no_symlinks(&real, OFlag::O_PATH, Mode::empty());
        let file = file.map_err(|errno| Error::call("openat2", path, errno))?;
        bind(tree, path, file.as_fd())?;
    }
    Ok(())
}

/// Binds `file` on `path` of the image, which is made if it is missing. Should the image have a symlink there, its own
/// file stays.
fn bind(tree: &Root, path: &str, file: std::os::fd::BorrowedFd<'_>) -> Result<()> {
    let failed = |errno| Error::call("openat2", format!("{path} of the image"), errno);
    let look = || tree.open_no_symlinks(path, OFlag::O_PATH, Mode::empty());
    let point = match look() {
        Err(Errno::ELOOP | Errno::ENOTDIR) => return Ok(()),
        Err(Errno::ENOENT) => {
            let (directory, name) = tree.parent(path).map_err(failed)?;
            kernel::mkfile(directory.as_fd(), &name.to_string_lossy(), 0o644, "a file to mount on")?;
            look()
        }
        found => found,
    }
    .map_err(failed)?;
    let why = "with the machine's network, its way of finding names";
    kernel::bind_on(file, path, Target { fd: point.as_fd(), name: path }, why)?;
    let covered = look().map_err(failed)?;
    Ok(kernel::mount_read_only(Target { fd: covered.as_fd(), name: path }, "to read, not to change")?)
}
