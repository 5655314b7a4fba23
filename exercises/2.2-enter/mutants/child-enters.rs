//! diagnosis: entered-after-birth
//!
//! Lets the child enter, so that the caller stays outside. Made by those who have done exercise 2.1.

use std::os::fd::AsFd;

use look::kernel::CloneFlags;
use look::{Result, namespaces_of};
use namespaces::{Process, flag, join, spawn};
use nix::unistd::Pid;

pub fn enter(pid: Pid, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    let process = Process::open(pid)?;
    let (ours, theirs) = (namespaces_of(Pid::this())?, namespaces_of(pid)?);
    let other = theirs.iter().filter(|(kind, number)| ours.get(kind) != Some(number)).map(|(kind, _)| flag(*kind));
    let other: CloneFlags = other.collect();
    spawn(CloneFlags::empty(), None, &mut || match join(process.as_fd(), other) {
        Ok(()) => child(),
        Err(_) => 125,
    })
}
