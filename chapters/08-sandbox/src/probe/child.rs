//! A child that tries something, and the end that it comes to.

use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

/// How long a child may take, in milliseconds. What takes this long waits for something.
pub const PATIENCE: u16 = 2000;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Exited(u8),
    /// By this signal.
    Signalled(Signal),
    /// It did not, and was killed.
    Late,
}

/// A child. It is killed and reaped, if it has not been, when this goes.
pub struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    reaped: bool,
}

impl Child {
    /// Starts one that does `work` in a session of its own and exits with its answer.
    ///
    /// `flags` are for clone(2), such as `CLONE_FILES`. This process must have one thread.
    pub fn start(flags: libc::c_int, work: impl FnOnce() -> u8) -> nix::Result<Child> {
        let mut pidfd: libc::c_int = -1;
        let flags = flags | libc::CLONE_PIDFD | libc::SIGCHLD;
        // SAFETY: without CLONE_VM and a stack this is fork(2), and there is one thread; the kernel writes to `pidfd`.
        let pid = unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_long, 0, &raw mut pidfd, 0, 0) };
        if Errno::result(pid)? == 0 {
            let _ = nix::unistd::setsid();
            leave(work());
        }
        // SAFETY: the kernel has just opened it for us.
        let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
        Ok(Child { pid: Pid::from_raw(pid as libc::pid_t), pidfd, reaped: false })
    }

    /// Waits for its end, and makes one when it is late.
    pub fn end(mut self) -> End {
        let mut ended = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ended, PollTimeout::from(PATIENCE)) {
            Ok(1) => self.reap(),
            _ => {
                let _ = kill(self.pid, Signal::SIGKILL);
                self.reap();
                End::Late
            }
        }
    }

    fn reap(&mut self) -> End {
        self.reaped = true;
        loop {
            match waitpid(self.pid, None) {
                Ok(WaitStatus::Exited(_, status)) => return End::Exited(status as u8),
                Ok(WaitStatus::Signaled(_, signal, _)) => return End::Signalled(signal),
                Err(Errno::EINTR) => {}
                _ => return End::Late,
            }
        }
    }
}

impl AsFd for Child {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = kill(self.pid, Signal::SIGKILL);
            self.reap();
        }
    }
}

/// Ends the child at once. All six arguments are given, because [`filter`](super::filter) looks at the sixth.
fn leave(status: u8) -> ! {
    loop {
        // SAFETY: takes a number and does not come back.
        unsafe { libc::syscall(libc::SYS_exit_group, libc::c_long::from(status), 0, 0, 0, 0, 0) };
    }
}
