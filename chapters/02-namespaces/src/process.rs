//! A process, by a descriptor that cannot come to mean another one: pidfd_open(2).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// A process. Its id may be given to another process after its end; the descriptor never is.
#[derive(Debug)]
pub struct Process(OwnedFd);

impl Process {
    /// The process that has `pid` now, if there is one.
    pub fn open(pid: Pid) -> Option<Process> {
        // SAFETY: takes two integers, and answers with a descriptor that nobody else owns.
        let answer = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
        // SAFETY: as above.
        Errno::result(answer).ok().map(|fd| Process(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
    }

    /// The process behind the descriptor that clone3 gave for it.
    pub fn from_clone(pidfd: OwnedFd) -> Process {
        Process(pidfd)
    }

    /// Sends `signal`, and answers whether it could be sent: not to a process that has ended, or is not ours.
    pub fn signal(&self, signal: i32) -> bool {
        let no_info: *const libc::siginfo_t = std::ptr::null();
        // SAFETY: a null siginfo asks for the usual one; the rest are integers.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), signal, no_info, 0) == 0 }
    }

    /// Kills it and waits for its end, if it has not ended yet.
    pub fn end(&self) {
        if self.signal(libc::SIGKILL) {
            self.wait_for_end();
        }
    }

    /// Waits until it has ended; its parent may still have to reap it.
    fn wait_for_end(&self) {
        let mut ended = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        while nix::poll::poll(&mut ended, PollTimeout::NONE) == Err(Errno::EINTR) {}
    }

    /// Reaps it, once it has ended, and answers with the status that a shell would give: 128 + n for signal n.
    pub fn reap(&self) -> Result<u8> {
        loop {
            match waitid(Id::PIDFd(self.0.as_fd()), WaitPidFlag::WEXITED) {
                Ok(WaitStatus::Exited(_, status)) => return Ok(status as u8),
                Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(128 + signal as u8),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno).context("wait for the container's first process"),
            }
        }
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
