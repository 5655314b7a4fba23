//! diagnosis: changes-the-image
//!
//! Empties what is to be hidden. Made by those who think of one container.

use std::os::fd::{AsFd, AsRawFd};

use chroot::inside::Root;
use look::{Error, Result};

pub fn mask(root: &Root, path: &str) -> Result<()> {
    // The root's path, by way of its descriptor.
    let place = format!("/proc/self/fd/{}{path}", root.as_fd().as_raw_fd());
    let io = |error: std::io::Error| Error::io("empty", path, &error);
    match std::fs::symlink_metadata(&place) {
        Err(_) => Ok(()),
        Ok(there) if there.is_symlink() => Err(Error::call("lstat", path, nix::errno::Errno::ELOOP)),
        Ok(there) if there.is_dir() => {
            std::fs::remove_dir_all(&place).map_err(io)?;
            std::fs::create_dir(&place).map_err(io)
        }
        Ok(_) => std::fs::write(&place, "").map_err(io),
    }
}
