//! diagnosis: waits-inside
//!
//! Waits for the child before it returns. Made by those who know fork and wait as a pair.

use std::os::fd::BorrowedFd;

use look::Result;
use look::kernel::{self, CloneFlags, Cloned};
use namespaces::Process;

pub fn spawn(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    match kernel::clone3(namespaces, cgroup, "a child")? {
        Cloned::Parent { pid, pidfd } => {
            nix::sys::wait::waitpid(pid, None).map_err(|errno| look::Error::call("waitpid", pid.to_string(), errno))?;
            Ok(Process::new(pid, pidfd))
        }
        Cloned::Child => std::process::exit(child().into()),
    }
}
