//! diagnosis: signal-not-told
//!
//! The number of the signal as the status. Made by those who unpack a status as C programs do.

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
            Ok(WaitStatus::Exited(pid, code)) if pid == main => status = Some(code as u8),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == main => status = Some(signal as u8),
            Ok(_) => {}
            Err(errno) => return Err(Error::call("waitpid", "any child", errno)),
        }
    }
}
