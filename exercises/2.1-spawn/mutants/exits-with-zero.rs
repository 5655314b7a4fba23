//! diagnosis: status-lost
//!
//! Ends the child, and says that all went well. Made by those who found out that the child must not come back.

use std::os::fd::BorrowedFd;

use look::Result;
use look::kernel::{self, CloneFlags, Cloned};
use namespaces::Process;

pub fn spawn(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    match kernel::clone3(namespaces, cgroup, "a child")? {
        Cloned::Parent { pid, pidfd } => Ok(Process::new(pid, pidfd)),
        Cloned::Child => {
            child();
            std::process::exit(0)
        }
    }
}
