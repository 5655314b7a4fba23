//! diagnosis: not-the-flags-asked-for
//!
//! The flags of every tutorial. Made by those who have written a container before.

use std::os::fd::BorrowedFd;

use look::Result;
use look::kernel::{self, CloneFlags, Cloned};
use namespaces::Process;

pub fn spawn(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    let usual = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWNET;
    match kernel::clone3(usual, cgroup, "a container")? {
        Cloned::Parent { pid, pidfd } => Ok(Process::new(pid, pidfd)),
        Cloned::Child => std::process::exit(child().into()),
    }
}
