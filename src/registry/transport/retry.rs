//! Trying again: what failed for a passing reason is tried a few times more, after pauses that grow.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::registry::error::{Error, Result};

/// Attempts without any progress, all in all.
const ATTEMPTS: u32 = 5;
/// The first pause. Each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// No pause is longer, whatever a registry asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Tells the threads of one piece of work that it failed elsewhere.
#[derive(Debug, Default)]
pub struct Cancel {
    stopped: Mutex<bool>,
    news: Condvar,
}

impl Cancel {
    /// Tells all.
    pub fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.news.notify_all();
    }

    /// An error if it was told.
    pub fn check(&self) -> Result<()> {
        self.pause(Duration::ZERO)
    }

    /// Waits, unless there is nothing to wait for any more.
    fn pause(&self, time: Duration) -> Result<()> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.news.wait_timeout_while(stopped, time, |stopped| !*stopped);
        let (stopped, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *stopped { Err(Error::Stopped) } else { Ok(()) }
    }
}

/// Counts failures in a row.
pub struct Retry<'a> {
    stop: &'a Cancel,
    failures: u32,
}

impl<'a> Retry<'a> {
    /// None so far.
    pub fn new(stop: &'a Cancel) -> Retry<'a> {
        Retry { stop, failures: 0 }
    }

    /// Something went well: the count begins anew.
    pub fn progress(&mut self) {
        self.failures = 0;
    }

    /// Waits as long as is right after `error`, or gives it back if it is time to give up.
    pub fn after(&mut self, error: Error) -> Result<()> {
        self.failures += 1;
        if !error.is_passing() || self.failures >= ATTEMPTS {
            return Err(error);
        }
        let asked = match &error {
            Error::Refused { patience, .. } => *patience,
            _ => None,
        };
        if asked.is_some_and(|asked| asked > LONGEST_PAUSE) {
            return Err(error);
        }
        let pause = FIRST_PAUSE * 2_u32.pow(self.failures - 1);
        self.stop.pause(asked.unwrap_or_default().max(jitter(pause)))
    }

    /// Makes `attempt` until it succeeds or there is no hope.
    pub fn run<T>(mut self, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
        loop {
            match attempt() {
                Ok(result) => return Ok(result),
                Err(error) => self.after(error)?,
            }
        }
    }
}

/// Between half of `pause` and all of it, so that clients that failed together do not come back together.
fn jitter(pause: Duration) -> Duration {
    // Every RandomState has keys of its own: enough chance for this, and no crate for it.
    let chance = RandomState::new().build_hasher().finish() % 1000;
    pause / 2 + pause * u32::try_from(chance).unwrap_or(0) / 2000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passing() -> Error {
        Error::Refused { status: 503, message: String::new(), patience: Some(Duration::ZERO) }
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_not() {
        let stop = Cancel::default();
        let mut left = 2;
        let result = Retry::new(&stop).run(|| {
            left -= 1;
            if left > 0 { Err(passing()) } else { Ok(7) }
        });
        assert_eq!((result.unwrap(), left), (7, 0));
        let mut attempts = 0;
        let result: Result<()> = Retry::new(&stop).run(|| {
            attempts += 1;
            Err(Error::Wrong("x".into()))
        });
        assert!(result.is_err() && attempts == 1);
    }

    #[test]
    fn who_is_told_to_stop_waits_no_more() {
        let stop = Cancel::default();
        stop.stop();
        let error = Error::Refused { status: 429, message: String::new(), patience: Some(LONGEST_PAUSE) };
        assert!(matches!(Retry::new(&stop).after(error), Err(Error::Stopped)));
        assert!(matches!(stop.check(), Err(Error::Stopped)));
    }

    #[test]
    fn a_registry_that_asks_for_hours_is_believed_at_once() {
        let hours = Error::Refused { status: 429, message: String::new(), patience: Some(Duration::from_secs(7200)) };
        assert!(matches!(Retry::new(&Cancel::default()).after(hours), Err(Error::Refused { .. })));
    }
}
