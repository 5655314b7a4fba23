//! diagnosis: cgroup-ignored
//!
//! Leaves the cgroup for later, and later does not come. Made by those who do chapter 2 before chapter 3.

use std::os::fd::BorrowedFd;

use look::Result;
use look::kernel::{self, CloneFlags, Cloned};
use namespaces::Process;

pub fn spawn(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    match kernel::clone3(namespaces, None, "a child")? {
        Cloned::Parent { pid, pidfd } => Ok(Process::new(pid, pidfd)),
        Cloned::Child => std::process::exit(child().into()),
    }
}
