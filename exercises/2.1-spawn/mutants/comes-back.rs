//! diagnosis: child-comes-back
//!
//! Forgets to end the child. Made by those for whom a function that was called once returns once.

use std::os::fd::BorrowedFd;

use look::Result;
use look::kernel::{self, CloneFlags, Cloned};
use namespaces::Process;

pub fn spawn(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    match kernel::clone3(namespaces, cgroup, "a child")? {
        Cloned::Parent { pid, pidfd } => Ok(Process::new(pid, pidfd)),
        Cloned::Child => {
            child();
            Process::open(nix::unistd::getpid())
        }
    }
}
