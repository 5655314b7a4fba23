//! A process that is not a child of the tests, to wait for.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

/// A process, by a descriptor that cannot come to mean another one (pidfd_open(2)).
pub struct Process(OwnedFd);

impl Process {
    pub fn open(pid: Pid) -> Process {
        Process::try_open(pid).expect("a process that is there")
    }

    /// `None` if there is no such process.
    pub fn try_open(pid: Pid) -> Option<Process> {
        // SAFETY: takes two integers, and answers with a descriptor that nobody else owns.
        let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) }).ok()?;
        // SAFETY: as above.
        Some(Process(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
    }

    /// Whether its parent collects it in time. The kernel tells so by a hang-up, since Linux 6.9; before that, one has
    /// to ask again.
    pub fn is_reaped_within(&self, seconds: u64) -> bool {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < deadline {
            if !self.is_there() {
                return true;
            }
            let mut hang_up = [PollFd::new(self.0.as_fd(), PollFlags::empty())];
            poll(&mut hang_up, PollTimeout::from(10_u16)).unwrap();
        }
        false
    }

    /// Whether it runs or waits to be collected.
    fn is_there(&self) -> bool {
        let no_info: *const libc::siginfo_t = std::ptr::null();
        // SAFETY: as in `kill`; signal 0 is only asked for.
        let answer = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), 0, no_info, 0) };
        Errno::result(answer) != Err(Errno::ESRCH)
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
