//! Asking for a password on a terminal, which does not show what is typed meanwhile.

use std::io::{Write, stdin, stdout};
use std::os::fd::AsFd;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{InputFlags, LocalFlags, SetArg, Termios, tcdrain, tcgetattr, tcsetattr};
use nix::unistd::read;

use super::login::{LONGEST, answer};

/// The signals that end or stop a program, as Ctrl-C, Ctrl-\ and Ctrl-Z send them, or `kill`, or a closed window.
const SIGNALS: [Signal; 5] = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTSTP, Signal::SIGTERM, Signal::SIGHUP];

/// Asks `question` on standard input, which must be a terminal, and returns the line that was typed.
///
/// A signal takes its usual effect only when the terminal shows again what is typed. Whoever comes back from Ctrl-Z is
/// asked again. In the background, nothing is asked: the program stops until it is in the foreground.
pub fn ask_silently(question: &str) -> Result<String> {
    loop {
        wait_for_the_foreground()?;
        let held = HeldSignals::begin()?;
        let silence = Silence::begin()?;
        write!(stdout(), "{question}").and_then(|()| stdout().flush()).context("write to standard output")?;
        let answer = held.read_line();
        drop(silence);
        let _ = writeln!(stdout());
        drop(held);
        if let Some(answer) = answer? {
            return Ok(answer);
        }
    }
}

/// Returns when this process is in the foreground of its terminal.
///
/// While it is not, the terminal is set as the shell wants it for its own command line, which is neither to be kept
/// nor to be changed. tcdrain(3) is a call that the kernel grants to the foreground only: it stops everybody else with
/// SIGTTOU, and fails where nobody could let them go on.
fn wait_for_the_foreground() -> Result<()> {
    tcdrain(stdin()).context("wait to be in the foreground of the terminal")
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

    /// Reads a line from standard input. `None` if a signal came first: it still waits.
    ///
    /// The terminal gives what was typed also at Ctrl-D, without an end of the line. So nothing is read that is not
    /// there yet: whoever waits in read(2) hears no signal.
    fn read_line(&self) -> Result<Option<String>> {
        let (mut line, mut buffer) = (Vec::new(), [0; 1024]);
        while self.wait_for_input()? {
            let count = match read(stdin(), &mut buffer) {
                Err(Errno::EINTR | Errno::EAGAIN) => continue,
                count => count.context("read from the terminal")?,
            };
            line.extend_from_slice(&buffer[..count]);
            if count == 0 || line.ends_with(b"\n") || line.len() >= LONGEST {
                return answer(line).map(Some);
            }
        }
        Ok(None)
    }

    /// Waits until something can be read from standard input, or its end is there. No if a signal came first.
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
        let mut before = tcgetattr(stdin()).context("ask the terminal how it is set")?;
        // Whoever sets it may have been stopped or killed in the middle: then it is not as people can use it.
        before.local_flags.insert(LocalFlags::ECHO);
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        // Lines, and Enter as their end.
        silent.local_flags.insert(LocalFlags::ICANON);
        silent.input_flags.insert(InputFlags::ICRNL);
        tcsetattr(stdin(), SetArg::TCSAFLUSH, &silent).context("keep the terminal from showing what is typed")?;
        Ok(Silence(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), SetArg::TCSANOW, &self.0);
    }
}
