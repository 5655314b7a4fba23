//! An init: the process with number 1, when the program itself should not be.

use std::os::fd::AsFd;

use look::{Error, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

/// Starts `program` in a child, and looks after this PID namespace until the child has ended: collects whoever ends
/// (with `reap`, [`crate::reap`] or another one), and passes on to the child every signal that it may. Answers with
/// the child's status.
///
/// The child is the leader of a process group of its own, in the foreground of the terminal if there is one, so
/// that Ctrl-C reaches it once.
pub fn init(program: &mut dyn FnMut() -> u8, reap: fn(Pid) -> Result<Option<u8>>) -> Result<u8> {
    let blocked = |errno| Error::call("sigprocmask", "all signals", errno);
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), None).map_err(blocked)?;
    let signals = SignalFd::with_flags(&SigSet::all(), SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(|errno| Error::call("signalfd", "all signals", errno))?;
    let mut foreground = || {
        own_process_group();
        program()
    };
    let main = crate::spawn(nix::sched::CloneFlags::empty(), None, &mut foreground)?.pid();
    loop {
        while let Ok(Some(info)) = signals.read_signal() {
            pass_on(info.ssi_signo as i32, main);
        }
        if let Some(status) = reap(main)? {
            return Ok(status);
        }
        let mut ready = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        // An interruption is as good as an answer: everything is looked at again.
        let _ = poll(&mut ready, PollTimeout::NONE);
    }
}

/// Sends `signal` on. The end of a child is for the init alone.
fn pass_on(signal: i32, main: Pid) {
    if signal != Signal::SIGCHLD as i32 {
        // SAFETY: takes two integers. If the child has just ended, there is nobody to hear it, which is right.
        unsafe { libc::kill(main.as_raw(), signal) };
    }
}

/// Makes this process the leader of a group, and that group the one that the terminal talks to.
fn own_process_group() {
    let itself = Pid::from_raw(0);
    let _ = nix::unistd::setpgid(itself, itself);
    // Only works if standard input is the controlling terminal; otherwise there is no foreground to be in. All
    // signals are blocked, SIGTTOU too, so asking from the background is allowed.
    let _ = nix::unistd::tcsetpgrp(std::io::stdin(), nix::unistd::getpid());
}
