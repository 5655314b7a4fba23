//! diagnosis: one-at-a-time
//!
//! One waitpid for one signal. Made by those who count on the kernel to count signals.

use look::{Error, Result};
use namespaces::shell_status;
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

pub fn reap(main: Pid) -> Result<Option<u8>> {
    match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => Ok(None),
        Ok(ended) if ended.pid() == Some(main) => Ok(shell_status(ended)),
        Ok(_) => Ok(None),
        Err(errno) => Err(Error::call("waitpid", "any child", errno)),
    }
}
