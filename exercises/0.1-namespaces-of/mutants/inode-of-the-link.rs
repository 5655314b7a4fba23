//! diagnosis: inode-of-the-link
//!
//! Asks for the inode of the symlink, not of what it leads to. Made by those who know that namespaces have inode
//! numbers, and take `symlink_metadata` because the entry in /proc is a symlink.

use std::os::unix::fs::MetadataExt;

use look::{Error, Kind, Namespaces, Result};
use nix::unistd::Pid;

pub fn namespaces_of(pid: Pid) -> Result<Namespaces> {
    let mut namespaces = Namespaces::new();
    for kind in Kind::ALL {
        let link = format!("/proc/{pid}/ns/{kind}");
        let found = std::fs::symlink_metadata(&link).map_err(|error| Error::io("lstat", &link, &error))?;
        namespaces.insert(kind, found.ino());
    }
    Ok(namespaces)
}
