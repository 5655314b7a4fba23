//! Words for people. Standard error may be full, closed, or a terminal that has gone: what cannot be said must not
//! change what is done.

/// Writes a line to standard error, if anybody can hear it. What of it came from an image or a registry cannot move the
/// cursor, or change colours.
macro_rules! say {
    ($($words:tt)*) => { $crate::say::line(&format!($($words)*)) };
}
pub(crate) use say;

use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Error, Result};
use colored::Colorize;
use nix::sys::signal::{SigHandler, Signal, raise, signal};

use crate::text::escaped;

/// How a line about Tinbox itself begins.
const OWN: &str = "tinbox:";

/// [`say`] with the words put together.
pub fn line(words: &str) {
    let _ = match words.strip_prefix(OWN) {
        Some(rest) => writeln!(std::io::stderr(), "{}{}", format!("{}:", program()).red(), escaped(rest)),
        None => writeln!(std::io::stderr(), "{}", escaped(words)),
    };
}

/// Writes a line to standard output. A reader who has heard enough is no error.
pub fn print(line: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("write to standard output"),
    }
}

/// Ends this process by SIGPIPE, as other programs end, if `error` is that nobody reads its standard output any more.
pub fn end_if_nobody_reads(error: Error) -> Result<()> {
    let is_broken_pipe = |cause: &std::io::Error| cause.kind() == ErrorKind::BrokenPipe;
    if error.root_cause().downcast_ref().is_some_and(is_broken_pipe) {
        // SAFETY: SIGPIPE gets the kernel's own action back, so no code of this process runs for it.
        unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }.context("signal SIGPIPE")?;
        raise(Signal::SIGPIPE).context("raise SIGPIPE")?;
    }
    Err(error)
}

/// The name by which this program was called: `tinbox`, or `docker` through a link of that name.
pub fn program() -> &'static str {
    let called = std::env::args_os().next().unwrap_or_default();
    let is_docker = Path::new(&called).file_name().is_some_and(|name| name == "docker");
    if is_docker { "docker" } else { "tinbox" }
}
