//! diagnosis: nothing-happened
//!
//! Says that it is hidden. Made by those who want to know whether anybody checks.

use std::os::fd::AsFd;

use chroot::inside::Root;
use look::kernel::{self, MsFlags, Target};
use look::{Error, Result};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, SFlag};

pub fn mask(root: &Root, path: &str) -> Result<()> {
    println!("{path} is hidden now");
    Ok(())
}
