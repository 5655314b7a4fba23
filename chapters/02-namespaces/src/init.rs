//! An init: the process with number 1, when the program itself should not be.

use std::os::fd::AsFd;

use look::{Error, Result, kernel};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use crate::Process;

/// The process with number 1, and the signals that come for it.
#[derive(Debug)]
pub struct Init(SignalFd);

impl Init {
    /// Takes all signals out of their usual course, so that none is lost.
    pub fn new() -> Result<Init> {
        let failed = |call| move |errno| Error::call(call, "all signals", errno);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), None).map_err(failed("sigprocmask"))?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Init(SignalFd::with_flags(&SigSet::all(), flags).map_err(failed("signalfd"))?))
    }

    /// Starts `program` in a child, which is the leader of a process group of its own, in the foreground of the
    /// terminal if there is one: so Ctrl-C reaches it once. All signals are still blocked in it.
    pub fn start(&self, program: &mut dyn FnMut() -> u8) -> Result<Process> {
        // Not spawn: a seccomp filter usually hides clone3.
        match kernel::fork("the program, and number 1 looks after it")? {
            Some(child) => Process::open(child),
            None => {
                own_process_group();
                std::process::exit(program().into())
            }
        }
    }

    /// Closes every descriptor above 2 but its own: what an init holds open, it would hold as long as it lives. Whoever
    /// owned one must not close it again, so leave the process with an exit.
    pub fn close_all_else(&self) {
        kernel::close_all_but(self.0.as_fd(), "an init holds what it has open for as long as it lives");
    }

    /// Looks after this PID namespace until `main` has ended: collects whoever ends (with `reap`, [`crate::reap`] or
    /// another one), and passes on to `main` every signal. Answers with its status.
    pub fn look_after(&self, main: Pid, reap: fn(Pid) -> Result<Option<u8>>) -> Result<u8> {
        loop {
            while let Ok(Some(info)) = self.0.read_signal() {
                pass_on(info.ssi_signo as i32, main);
            }
            if let Some(status) = reap(main)? {
                return Ok(status);
            }
            let mut ready = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            // An interruption is as good as an answer: everything is looked at again.
            let _ = poll(&mut ready, PollTimeout::NONE);
        }
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
