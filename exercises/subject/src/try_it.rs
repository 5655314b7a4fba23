//! Calling an answer, whatever it does.

use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::sync::Mutex;

use look::{Error, Result};

use crate::protocol::{Outcome, Said};

/// The most bytes that words about a cause may have.
const SHORT: usize = 80;

static PANIC: Mutex<Option<(String, u32)>> = Mutex::new(None);

/// Calls `answer` and says what became of it. What it printed is passed on at once.
pub(crate) fn try_it(answer: impl FnOnce() -> Result<Said>) -> Outcome {
    try_any(|| Ok(answer()?))
}

/// The same for an answer whose errors may be any.
pub(crate) fn try_any(answer: impl FnOnce() -> anyhow::Result<Said>) -> Outcome {
    std::panic::set_hook(Box::new(remember));
    let result = std::panic::catch_unwind(AssertUnwindSafe(answer));
    drop(std::panic::take_hook());
    let _ = std::io::stdout().flush();
    match result {
        Ok(Ok(value)) => Outcome::Done(value),
        Ok(Err(error)) => Outcome::Failed { cause: cause(&error), text: format!("{error:#}") },
        Err(_) => panicked(),
    }
}

/// What was wrong, in a few words that can be compared.
fn cause(error: &anyhow::Error) -> Option<String> {
    match error.chain().find_map(|error| error.downcast_ref()) {
        Some(Error::Call { call, errno, .. }) => Some(format!("{call} {errno:?}")),
        Some(Error::Content { .. }) => None,
        None => Some(error.root_cause().to_string()).filter(|words| words.len() <= SHORT && !words.contains('\n')),
    }
}

/// Keeps what a panic said, instead of printing it.
fn remember(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let message =
        text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no words").to_owned();
    let line = panic.location().map_or(0, std::panic::Location::line);
    if let Ok(mut last) = PANIC.lock() {
        *last = Some((message, line));
    }
}

fn panicked() -> Outcome {
    let (message, line) = PANIC.lock().ok().and_then(|mut last| last.take()).unwrap_or_default();
    if message.starts_with("not yet implemented: exercise ") {
        return Outcome::NotDone;
    }
    Outcome::Panicked { message, line }
}
