//! A question before something that cannot be undone.

use std::io::{BufRead, Write, stderr, stdin};

use anyhow::{Context, Result};

use crate::say::say;

/// Says what is about to happen, and whether the answer was yes. No answer is none.
pub fn confirmed(warning: &str) -> Result<bool> {
    say!("{warning}");
    let mut asked = stderr();
    let _ = write!(asked, "Are you sure you want to continue? [y/N] ").and_then(|()| asked.flush());
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer).context("read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
