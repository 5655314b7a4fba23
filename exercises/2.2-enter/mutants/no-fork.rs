//! diagnosis: no-fork
//!
//! Enters and goes on in the same process. Made by those who read "moves" in setns(2) and think that it is true of
//! every kind.

use std::os::fd::AsFd;

use look::kernel::CloneFlags;
use look::{Result, namespaces_of};
use namespaces::{Process, flag, join, spawn};
use nix::unistd::Pid;

pub fn enter(pid: Pid, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    let process = Process::open(pid)?;
    let (ours, theirs) = (namespaces_of(Pid::this())?, namespaces_of(pid)?);
    let other = theirs.iter().filter(|(kind, number)| ours.get(kind) != Some(number)).map(|(kind, _)| flag(*kind));
    join(process.as_fd(), other.collect())?;
    child();
    Process::open(Pid::this())
}
