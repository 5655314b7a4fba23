//! diagnosis: only-main
//!
//! Asks for main alone. Made by those who think of children that they have started themselves.

use look::{Error, Result};
use namespaces::shell_status;
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

pub fn reap(main: Pid) -> Result<Option<u8>> {
    match waitpid(main, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => Ok(None),
        Ok(ended) => Ok(shell_status(ended)),
        Err(errno) => Err(Error::call("waitpid", main.to_string(), errno)),
    }
}
