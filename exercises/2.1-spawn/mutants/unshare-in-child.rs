//! diagnosis: not-number-one
//!
//! Lets the child call unshare. Made by those who know that the caller must stay where it is, and not that a PID
//! namespace takes only the children.

use std::os::fd::BorrowedFd;

use look::Result;
use look::kernel::{self, CloneFlags, Cloned};
use namespaces::Process;

pub fn spawn(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    match kernel::clone3(CloneFlags::empty(), cgroup, "a child")? {
        Cloned::Parent { pid, pidfd } => Ok(Process::new(pid, pidfd)),
        Cloned::Child => {
            if kernel::unshare(namespaces, "new namespaces").is_err() {
                std::process::exit(125);
            }
            std::process::exit(child().into())
        }
    }
}
