//! diagnosis: stops-at-main
//!
//! Comes back as soon as main is there. Made by those who have found what they were looking for.

use look::{Error, Result};
use namespaces::shell_status;
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

pub fn reap(main: Pid) -> Result<Option<u8>> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(None),
            Ok(ended) if ended.pid() == Some(main) => return Ok(shell_status(ended)),
            Ok(_) => {}
            Err(errno) => return Err(Error::call("waitpid", "any child", errno)),
        }
    }
}
