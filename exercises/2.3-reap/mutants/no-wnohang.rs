//! diagnosis: it-waits
//!
//! Waits until nobody is left. Made by those who test with children that all end.

use look::{Error, Result};
use namespaces::shell_status;
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

pub fn reap(main: Pid) -> Result<Option<u8>> {
    let mut status = None;
    loop {
        match waitpid(None, None) {
            Ok(ended) if ended.pid() == Some(main) => status = shell_status(ended),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(Errno::ECHILD) => return Ok(status),
            Err(errno) => return Err(Error::call("waitpid", "any child", errno)),
        }
    }
}
