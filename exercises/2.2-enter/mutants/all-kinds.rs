//! diagnosis: own-user-namespace
//!
//! Asks for every kind there is. Made by those to whom one more cannot hurt.

use std::os::fd::AsFd;

use look::kernel::CloneFlags;
use look::{Result, namespaces_of};
use namespaces::{Process, flag, join, spawn};
use nix::unistd::Pid;

pub fn enter(pid: Pid, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    let process = Process::open(pid)?;
    let all = look::Kind::ALL.into_iter().map(flag).collect();
    join(process.as_fd(), all)?;
    spawn(CloneFlags::empty(), None, child)
}
