//! A process that is not a child of the tests, to wait for.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

/// A process, by a descriptor that cannot come to mean another one (pidfd_open(2)).
pub struct Process(OwnedFd);

impl Process {
    pub fn open(pid: Pid) -> Process {
        // SAFETY: takes two integers, and answers with a descriptor that nobody else owns.
        let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) }).unwrap();
        // SAFETY: as above.
        Process(unsafe { OwnedFd::from_raw_fd(fd as i32) })
    }

    pub fn ends_within(&self, limit: PollTimeout) -> bool {
        poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], limit).unwrap() == 1
    }

    /// Kills it, if it has not ended.
    pub fn kill(&self) {
        let no_info: *const libc::siginfo_t = std::ptr::null();
        // SAFETY: a null siginfo asks for the usual one; the rest are integers.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), libc::SIGKILL, no_info, 0) };
    }
}
