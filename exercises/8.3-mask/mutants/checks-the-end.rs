//! diagnosis: led-out-on-the-way
//!
//! Puts them together, and looks first whether it is a symlink. Made by those who have been attacked once.

use std::os::fd::{AsFd, AsRawFd};

use chroot::inside::Root;
use look::kernel::{self, MsFlags};
use look::{Error, Result};

pub fn mask(root: &Root, path: &str) -> Result<()> {
    // The root's path, by way of its descriptor.
    let place = format!("/proc/self/fd/{}{path}", root.as_fd().as_raw_fd());
    if std::fs::symlink_metadata(&place).is_ok_and(|there| there.is_symlink()) {
        return Err(Error::call("lstat", path, nix::errno::Errno::ELOOP));
    }
    if !std::path::Path::new(&place).exists() {
        return Ok(());
    }
    if std::path::Path::new(&place).is_dir() {
        return kernel::mount("tmpfs", &place, "tmpfs", MsFlags::MS_RDONLY, "", "nothing to see here");
    }
    kernel::mount("/dev/null", &place, "", MsFlags::MS_BIND, "", "nothing to read here")
}
