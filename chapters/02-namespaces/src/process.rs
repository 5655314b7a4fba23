//! A process, by a descriptor that cannot come to mean another one: pidfd_open(2).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use look::{Error, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// A process. Its id may be given to another process after its end; the descriptor never is.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    pidfd: OwnedFd,
}

impl Process {
    /// The process with this id and the descriptor that clone3 gave for it.
    pub fn new(pid: Pid, pidfd: OwnedFd) -> Process {
        Process { pid, pidfd }
    }

    /// The process that has `pid` now. `ESRCH` if there is none.
    pub fn open(pid: Pid) -> Result<Process> {
        // SAFETY: takes two integers, and answers with a descriptor that nobody else owns.
        let answer = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
        let fd = Errno::result(answer).map_err(|errno| Error::call("pidfd_open", pid.to_string(), errno))?;
        // SAFETY: as above.
        Ok(Process { pid, pidfd: unsafe { OwnedFd::from_raw_fd(fd as i32) } })
    }

    /// Its id, in the PID namespace of whoever opened or made it.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends `signal`, and answers whether it could be sent: not to a process that has ended, or is not ours.
    pub fn signal(&self, signal: i32) -> bool {
        let no_info: *const libc::siginfo_t = std::ptr::null();
        // SAFETY: a null siginfo asks for the usual one; the rest are integers.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.pidfd.as_raw_fd(), signal, no_info, 0) == 0 }
    }

    /// Kills it and waits for its end, if it has not ended yet.
    pub fn end(&self) {
        if self.signal(libc::SIGKILL) {
            self.wait_for_end();
        }
    }

    /// Waits until it has ended; its parent may still have to reap it.
    fn wait_for_end(&self) {
        let mut ended = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        while nix::poll::poll(&mut ended, PollTimeout::NONE) == Err(Errno::EINTR) {}
    }

    /// Reaps this child, waiting for its end, and answers with the status that a shell would give.
    pub fn reap(&self) -> Result<u8> {
        loop {
            match waitid(Id::PIDFd(self.pidfd.as_fd()), WaitPidFlag::WEXITED) {
                Ok(ended) => {
                    if let Some(status) = shell_status(ended) {
                        return Ok(status);
                    }
                }
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::call("waitid", format!("process {}", self.pid), errno)),
            }
        }
    }
}

/// The status that a shell gives for an end: the process's own, or 128 + n if signal n ended it. `None` for what is
/// not an end.
pub fn shell_status(ended: WaitStatus) -> Option<u8> {
    match ended {
        WaitStatus::Exited(_, status) => Some(status as u8),
        WaitStatus::Signaled(_, signal, _) => Some(128 + signal as u8),
        _ => None,
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}
