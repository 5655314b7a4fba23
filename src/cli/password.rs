//! Asking for a password on a terminal, which does not show what is typed meanwhile.

use std::io::{Write, stdin, stdout};
use std::os::fd::AsFd;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use super::login::read_answer;

/// The signals that end or stop a program, as Ctrl-C, Ctrl-\ and Ctrl-Z send them, or `kill`, or a closed window.
const SIGNALS: [Signal; 5] = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTSTP, Signal::SIGTERM, Signal::SIGHUP];

/// Asks `question` on standard input, which must be a terminal, and returns the line that was typed.
///
/// A signal takes its usual effect only when the terminal shows again what is typed. Whoever comes back from Ctrl-Z is
/// asked again.
pub fn ask_silently(question: &str) -> Result<String> {
    loop {
        let held = HeldSignals::begin()?;
        let silence = Silence::begin()?;
        write!(stdout(), "{question}").and_then(|()| stdout().flush()).context("write to standard output")?;
        let answer = held.wait_for_input()?.then(read_answer);
        drop(silence);
        let _ = writeln!(stdout());
        drop(held);
        if let Some(answer) = answer {
            return answer;
        }
    }
}

/// Signals wait until this is dropped.
struct HeldSignals {
    arrived: SignalFd,
    before: SigSet,
}

impl HeldSignals {
    fn begin() -> Result<HeldSignals> {
        let signals: SigSet = SIGNALS.into_iter().collect();
        let before = SigSet::thread_get_mask().context("ask which signals are blocked")?;
        signals.thread_block().context("block signals")?;
        let arrived = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC).context("make a signalfd")?;
        Ok(HeldSignals { arrived, before })
    }

    /// Waits for a line, or the end of input, on standard input. No if a signal came first: it still waits.
    fn wait_for_input(&self) -> Result<bool> {
        let stdin = stdin();
        let mut watched = [self.arrived.as_fd(), stdin.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        loop {
            match poll(&mut watched, PollTimeout::NONE) {
                Err(Errno::EINTR) => {}
                polled => {
                    polled.context("wait for the terminal")?;
                    return Ok(watched[0].any() != Some(true));
                }
            }
        }
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}

/// The terminal shows what is typed again when this is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> Result<Silence> {
        let before = tcgetattr(stdin()).context("ask the terminal how it is set")?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(stdin(), SetArg::TCSAFLUSH, &silent).context("keep the terminal from showing what is typed")?;
        Ok(Silence(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), SetArg::TCSANOW, &self.0);
    }
}
