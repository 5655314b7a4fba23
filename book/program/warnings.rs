//! What mdBook warns of. It does so through `tracing`, and goes on; here a warning (an HTML tag that is not closed,
//! say) is as good as an error.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Runs `work`, and gives what it warned of besides what it answers.
pub fn collected<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let answer = tracing::subscriber::with_default(Collector(Arc::clone(&warnings)), work);
    let collected = std::mem::take(&mut *warnings.lock().unwrap_or_else(PoisonError::into_inner));
    (answer, collected)
}

struct Collector(Arc<Mutex<Vec<String>>>);

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The text of an event, without its other fields.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing into a string cannot fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_errors_are_collected_and_nothing_else() {
        let ((), warnings) = collected(|| {
            tracing::info!("fine");
            tracing::warn!("a tag is not closed in {}", "page.md");
            tracing::error!("worse");
        });
        assert_eq!(warnings, ["a tag is not closed in page.md", "worse"]);
    }
}
