//! Words for people. Standard error may be full, closed, or a terminal that has gone: what cannot be said must not
//! change what is done.

/// Writes a line to standard error, if anybody can hear it. What of it came from an image or a registry cannot move the
/// cursor, or change colours.
macro_rules! say {
    ($($words:tt)*) => { $crate::say::line(&format!($($words)*)) };
}
pub(crate) use say;

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};
use colored::Colorize;

use crate::text::escaped;

/// How a line about Tinbox itself begins.
const OWN: &str = "tinbox:";

/// [`say`] with the words put together.
pub fn line(words: &str) {
    let _ = match words.strip_prefix(OWN) {
        Some(rest) => writeln!(std::io::stderr(), "{}{}", OWN.red(), escaped(rest)),
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
