//! diagnosis: nobody-left-is-no-error
//!
//! Hands on every error of waitpid. Made by the careful.

use look::{Error, Result};
use namespaces::shell_status;
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

pub fn reap(main: Pid) -> Result<Option<u8>> {
    let mut status = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return Ok(status),
            Ok(ended) if ended.pid() == Some(main) => status = shell_status(ended),
            Ok(_) => {}
            Err(errno) => return Err(Error::call("waitpid", "any child", errno)),
        }
    }
}
