//! diagnosis: no-new-process
//!
//! Calls the closure. Made by those to whom "runs `child`" means what it means everywhere else.

use std::os::fd::BorrowedFd;

use look::Result;
use look::kernel::{self, CloneFlags, Cloned};
use namespaces::Process;

pub fn spawn(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    let status = child();
    println!("the child ended with {status}");
    Process::open(nix::unistd::getpid())
}
