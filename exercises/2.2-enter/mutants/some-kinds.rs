//! diagnosis: kinds-forgotten
//!
//! The kinds that come to mind. Made by those who look into a container for its files and its network.

use std::os::fd::AsFd;

use look::kernel::CloneFlags;
use look::{Result, namespaces_of};
use namespaces::{Process, flag, join, spawn};
use nix::unistd::Pid;

pub fn enter(pid: Pid, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    let process = Process::open(pid)?;
    join(process.as_fd(), CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNET)?;
    spawn(CloneFlags::empty(), None, child)
}
