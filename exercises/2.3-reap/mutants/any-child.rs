//! diagnosis: status-of-another
//!
//! Takes every end for that of main. Made by those whose container has one process.

use look::{Error, Result};
use namespaces::shell_status;
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

pub fn reap(main: Pid) -> Result<Option<u8>> {
    let mut status = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(status),
            Ok(ended) => status = shell_status(ended),
            Err(errno) => return Err(Error::call("waitpid", "any child", errno)),
        }
    }
}
