//! How a container finds names: `/etc/hostname` and `/etc/hosts` of its own, as in Docker; with the machine's network,
//! the machine's `/etc/hosts` and `/etc/resolv.conf`, read-only. (A network of a container's own has nobody to ask;
//! chapter 6 gives it somebody.)

use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use chroot::inside::Root;
use look::Error;
use look::kernel::{self, Target};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use crate::container::plan::Plan;

/// Puts them on the image's files.
pub fn furnish(tree: &Root, plan: &Plan) -> Result<()> {
    if let Some(name) = &plan.hostname {
        own(tree, &plan.directory, "hostname", &format!("{name}\n"))?;
    }
    if plan.sharing.has_the_machines_network() {
        return ["/etc/hosts", "/etc/resolv.conf"].into_iter().try_for_each(|path| machines(tree, path));
    }
    let own_line = plan.hostname.as_ref().map(|name| format!("127.0.1.1\t{name}\n")).unwrap_or_default();
    let hosts = format!("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{own_line}");
    own(tree, &plan.directory, "hosts", &hosts)
}

/// A file that the container may change, and that is not one of the image's: it lies beside its layer.
fn own(tree: &Root, directory: &Path, name: &str, text: &str) -> Result<()> {
    let path = directory.join(name);
    // The umask is open at this point of a start.
    let new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path);
    new.and_then(|mut new| new.write_all(text.as_bytes())).with_context(|| format!("write {}", path.display()))?;
    let file = Root::new(directory)?.open_no_symlinks(name, OFlag::O_PATH, Mode::empty());
    let file = file.map_err(|errno| Error::call("openat2", path.display().to_string(), errno))?;
    bind(tree, &format!("/etc/{name}"), file.as_fd()).map(drop)
}

/// A file of the machine, if it has it.
fn machines(tree: &Root, path: &str) -> Result<()> {
    // resolv.conf is often a link into /run.
    let Ok(real) = std::fs::canonicalize(path) else { return Ok(()) };
    let file = Root::new(Path::new("/"))?.open_no_symlinks(&real, OFlag::O_PATH, Mode::empty());
    let file = file.map_err(|errno| Error::call("openat2", path, errno))?;
    if bind(tree, path, file.as_fd())? {
        let covered = tree.open_no_symlinks(path, OFlag::O_PATH, Mode::empty());
        let covered = covered.map_err(|errno| Error::call("openat2", path, errno))?;
        kernel::mount_read_only(Target { fd: covered.as_fd(), name: path }, "to read, not to change")?;
    }
    Ok(())
}

/// Binds `file` on `path` of the image, which is made if it is missing. Should the image have a symlink there, its own
/// file stays, and the answer is no.
fn bind(tree: &Root, path: &str, file: BorrowedFd<'_>) -> Result<bool> {
    let failed = |errno| Error::call("openat2", format!("{path} of the image"), errno);
    let look = || tree.open_no_symlinks(path, OFlag::O_PATH, Mode::empty());
    let point = match look() {
        Err(Errno::ELOOP | Errno::ENOTDIR) => return Ok(false),
        Err(Errno::ENOENT) => {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("/", path));
            let directory = tree.create_dir_all(parent, Mode::from_bits_truncate(0o755)).map_err(failed)?;
            kernel::mkfile(directory.as_fd(), name, 0o644, "a file to mount on")?;
            look()
        }
        found => found,
    }
    .map_err(failed)?;
    kernel::bind_on(file, path, Target { fd: point.as_fd(), name: path }, "how it finds names")?;
    Ok(true)
}
