//! diagnosis: status-forgotten
//!
//! Collects all, and answers with what the last call said. Made by those who have moved the return to the end of
//! the loop.

use look::{Error, Result};
use namespaces::shell_status;
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

pub fn reap(main: Pid) -> Result<Option<u8>> {
    loop {
        let status = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(None),
            Ok(ended) if ended.pid() == Some(main) => shell_status(ended),
            Ok(_) => None,
            Err(errno) => return Err(Error::call("waitpid", "any child", errno)),
        };
        println!("collected: {status:?}");
    }
}
