//! Signals that come for a container: before its command runs they end the start, then they are passed on.

use std::os::fd::{AsFd, BorrowedFd};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// What is passed on to the command.
const PASSED_ON: [Signal; 10] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGTERM,
    Signal::SIGCONT,
    Signal::SIGWINCH,
    Signal::SIGIO,
];

/// What ends a start, unless whoever started Tinbox lets it be ignored, as nohup(1) does. The others wait until there is a
/// command to pass them on to.
const END_A_START: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Signals, out of their usual course, to be read and waited for.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// Blocks all that are passed on, so that none is lost during the start. To be read are those that end it.
    pub fn catch() -> Result<Signals> {
        SigSet::from_iter(PASSED_ON).thread_block().context("block signals")?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let end_it = END_A_START.into_iter().filter(|signal| !is_ignored(*signal));
        Ok(Signals(SignalFd::with_flags(&end_it.collect(), flags).context("make a signalfd")?))
    }

    /// The command runs: all that are passed on are to be read, also those that came meanwhile.
    pub fn for_the_command(&mut self) -> Result<()> {
        self.0.set_mask(&SigSet::from_iter(PASSED_ON)).context("set the signalfd")
    }

    /// The next one, if one has come.
    pub fn next(&self) -> Result<Option<Signal>> {
        let info = self.0.read_signal().context("read the signalfd")?;
        info.map(|info| Signal::try_from(info.ssi_signo as i32).context("read the signalfd")).transpose()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn is_ignored(signal: Signal) -> bool {
    let mut found = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is set, and the C library writes one structure into what is big enough for it. All zeros are a
    // valid one.
    let found = unsafe {
        libc::sigaction(signal as i32, std::ptr::null(), found.as_mut_ptr());
        found.assume_init()
    };
    found.sa_sigaction == libc::SIG_IGN
}

/// A signal ended a start.
#[derive(Debug, thiserror::Error)]
#[error("ended by {0} before the command ran")]
pub struct Interrupted(pub Signal);

impl Interrupted {
    /// The status that a shell gives for such an end.
    pub fn status(&self) -> u8 {
        128 + self.0 as u8
    }
}

/// Inside: the command begins with no signal blocked and none ignored, whatever Rust, the supervisor or the caller did.
pub fn reset() -> Result<()> {
    // The C library keeps two signals to itself, which a caller may have ignored too; so the kernel is asked directly.
    // Zero is `SIG_DFL`, without flags, in the kernel's `struct sigaction`, which is smaller than this.
    let default = [0_u64; 8];
    let no_old: *const u64 = std::ptr::null();
    for signal in 1..=64 {
        // SAFETY: the kernel reads one structure, and the default disposition runs no code of ours. It refuses KILL
        // and STOP, which are always at their default.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), no_old, size_of::<u64>()) };
    }
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None).context("unblock signals")
}
