//! diagnosis: led-out
//!
//! Puts root and path together. Made by everybody who has not been attacked yet.

use std::os::fd::{AsFd, AsRawFd};

use chroot::inside::Root;
use look::kernel::{self, MsFlags};
use look::Result;

pub fn mask(root: &Root, path: &str) -> Result<()> {
    // The root's path, by way of its descriptor.
    let place = format!("/proc/self/fd/{}{path}", root.as_fd().as_raw_fd());
    if !std::path::Path::new(&place).exists() {
        return Ok(());
    }
    if std::path::Path::new(&place).is_dir() {
        return kernel::mount("tmpfs", &place, "tmpfs", MsFlags::MS_RDONLY, "", "nothing to see here");
    }
    kernel::mount("/dev/null", &place, "", MsFlags::MS_BIND, "", "nothing to read here")
}
