//! Words for people. Standard error may be full, closed, or a terminal that has gone: what cannot be said must not
//! change what is done.

/// Writes a line to standard error, if anybody can hear it.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}
pub(crate) use say;

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};

/// Writes a line to standard output. A reader who has heard enough is no error.
pub fn print(line: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("write to standard output"),
    }
}
