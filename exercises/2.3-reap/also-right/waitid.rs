//! With waitid(2), and counting by hand.

use look::{Error, Result};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

pub fn reap(main: Pid) -> Result<Option<u8>> {
    let mut found = None;
    loop {
        match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
            Err(Errno::ECHILD) | Ok(WaitStatus::StillAlive) => break Ok(found),
            Err(errno) => break Err(Error::call("waitid", "any child", errno)),
            Ok(WaitStatus::Exited(pid, status)) if pid == main => found = Some(status as u8),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == main => found = Some(128 + signal as u8),
            Ok(_) => {}
        }
    }
}
