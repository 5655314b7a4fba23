//! Your terminal, while a container's is shown in it.

use std::io::IsTerminal;
use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::{Context, Result};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};

/// Your terminal in raw mode: every key goes to the container, Ctrl-C included. Ends when dropped, so also on
/// an error or a panic.
#[derive(Debug)]
pub struct RawMode {
    usual: Termios,
}

impl RawMode {
    /// Enters raw mode, if standard input is a terminal.
    pub fn enter() -> Result<Option<RawMode>> {
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        let usual = tcgetattr(std::io::stdin()).context("read the terminal's settings")?;
        let raw_mode = RawMode { usual };
        raw_mode.apply()?;
        Ok(Some(raw_mode))
    }

    /// Sets it once more: a shell that stopped and continued `tinbox` has set its own mode in between.
    pub fn apply(&self) -> Result<()> {
        let mut raw = self.usual.clone();
        cfmakeraw(&mut raw);
        tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &raw).context("set the terminal to raw mode")
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &self.usual);
    }
}

/// Makes the container's terminal as large as yours. The container hears of it by SIGWINCH.
pub fn copy_size(container: &OwnedFd) {
    // SAFETY: all fields are integers, for which zero is valid.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    for yours in [libc::STDOUT_FILENO, libc::STDIN_FILENO, libc::STDERR_FILENO] {
        // SAFETY: TIOCGWINSZ fills in one winsize, and TIOCSWINSZ reads one.
        unsafe {
            if libc::ioctl(yours, libc::TIOCGWINSZ, &raw mut size) == 0 && size.ws_row > 0 {
                libc::ioctl(container.as_raw_fd(), libc::TIOCSWINSZ, &raw const size);
                return;
            }
        }
    }
}
