//! diagnosis: only-directories
//!
//! A tmpfs over everything. Made by those who think of /sys/firmware.

use std::os::fd::AsFd;

use chroot::inside::Root;
use look::kernel::{self, MsFlags, Target};
use look::{Error, Result};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, SFlag};

pub fn mask(root: &Root, path: &str) -> Result<()> {
    let failed = |errno| Error::call("openat2", path, errno);
    let opened = match root.open_no_symlinks(path, OFlag::O_PATH, Mode::empty()) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(()),
        opened => opened.map_err(failed)?,
    };
    let target = Target { fd: opened.as_fd(), name: path };
    kernel::mount_on("tmpfs", target, "tmpfs", MsFlags::MS_RDONLY, "", "nothing to see here")
}
