//! Trying again: what failed for a passing reason is tried a few times more, after pauses that grow.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use super::operation::{Notice, Operation};
use crate::registry::error::{Error, FailureKind, Result};

/// Attempts without any progress, all in all.
const ATTEMPTS: u32 = 5;
/// The same for who was heard of already, and may just be starting again: with the pauses that is about half a minute.
const ATTEMPTS_OF_A_KNOWN_HOST: u32 = 11;
/// The same for attempts that are a long wait already. They are counted by themselves, so that the others, which cost
/// little, do not use them up, nor the other way round.
const ATTEMPTS_WITH_TIMEOUT: u32 = 3;
/// The first pause. Each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// No pause gets longer by itself.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// No pause is longer, whatever a registry asks for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);
/// Longer pauses are told.
const TOLD: Duration = Duration::from_secs(2);

/// Counts failures in a row: time-outs, and all others. Neither may be too many.
pub struct Retry<'a> {
    operation: &'a Operation<'a>,
    attempts: u32,
    failures: u32,
    timeouts: u32,
}

impl<'a> Retry<'a> {
    /// None so far.
    pub fn new(operation: &'a Operation<'a>) -> Retry<'a> {
        Retry { operation, attempts: ATTEMPTS, failures: 0, timeouts: 0 }
    }

    /// One that waits about half a minute for a host to come back.
    pub fn of_known_host(operation: &'a Operation<'a>) -> Retry<'a> {
        Retry { operation, attempts: ATTEMPTS_OF_A_KNOWN_HOST, failures: 0, timeouts: 0 }
    }

    /// Something went well: the count begins anew.
    pub fn progress(&mut self) {
        (self.failures, self.timeouts) = (0, 0);
    }

    /// Waits as long as is right after `error`, or gives it back if it is time to give up. A longer pause is told where
    /// `notice` says.
    pub fn after(&mut self, error: Error, notice: Notice<'_>) -> Result<()> {
        let timed_out = error.kind() == Some(FailureKind::TimedOut);
        let (count, attempts) = match timed_out {
            true => (&mut self.timeouts, ATTEMPTS_WITH_TIMEOUT),
            false => (&mut self.failures, self.attempts),
        };
        *count += 1;
        let failures = *count;
        let asked = match &error {
            Error::Refused { retry_after, .. } => *retry_after,
            _ => None,
        };
        let too_long = asked.is_some_and(|asked| asked > LONGEST_RETRY_AFTER);
        if !error.is_passing() || failures >= attempts || too_long {
            return Err(error);
        }
        let pause = (FIRST_PAUSE * 2_u32.saturating_pow(failures - 1).min(1000)).min(LONGEST_PAUSE);
        let pause = asked.unwrap_or_default().max(jitter(pause));
        if pause > TOLD || timed_out {
            notice(&format!("{}, attempt {} of {attempts}", why_waiting(&error, pause), failures + 1));
        }
        self.operation.pause(pause)
    }

    /// Makes `attempt` until it succeeds or there is no hope.
    pub fn run<T>(mut self, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
        loop {
            match attempt() {
                Ok(result) => return Ok(result),
                Err(error) => self.after(error, self.operation.notice())?,
            }
        }
    }
}

/// `waiting 20 s: the registry asks for patience (429)`, or `waiting for HOST: connection refused`.
fn why_waiting(error: &Error, pause: Duration) -> String {
    let seconds = pause.as_secs_f64().ceil();
    match error {
        Error::Unreachable { host, cause, .. } => {
            format!("waiting for {host}: {}", cause.lines().next().unwrap_or_default())
        }
        Error::Refused { status: 429, .. } => format!("waiting {seconds} s: the registry asks for patience (429)"),
        Error::Refused { status, .. } => format!("waiting {seconds} s: the registry has a problem ({status})"),
        _ => format!("waiting {seconds} s"),
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
    use std::sync::Mutex;

    use super::*;

    fn refused(status: u16, retry_after: u64) -> Error {
        let retry_after = Some(Duration::from_secs(retry_after));
        Error::Refused { status, message: String::new(), retry_after }
    }

    fn unreachable(kind: FailureKind) -> Error {
        Error::Unreachable { host: "h:5000".into(), cause: "nobody\n  help: x".into(), kind }
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_not() {
        let operation = Operation::new(&|_| ());
        let mut left = 2;
        let result = Retry::new(&operation).run(|| {
            left -= 1;
            if left > 0 { Err(refused(503, 0)) } else { Ok(7) }
        });
        assert_eq!((result.unwrap(), left), (7, 0));
        let mut attempts = 0;
        let result: Result<()> = Retry::new(&operation).run(|| {
            attempts += 1;
            Err(Error::Wrong("x".into()))
        });
        assert!(result.is_err() && attempts == 1);
    }

    /// No time passes: whoever is told to stop waits no more.
    fn told(error: Error) -> Vec<String> {
        let lines = Mutex::new(Vec::new());
        let notice = |line: &str| lines.lock().unwrap().push(line.to_owned());
        let operation = Operation::new(&notice);
        operation.cancel();
        assert!(matches!(operation.check(), Err(Error::Stopped)));
        assert!(matches!(Retry::new(&operation).after(error, operation.notice()), Err(Error::Stopped)));
        lines.lock().unwrap().clone()
    }

    #[test]
    fn long_waits_are_told() {
        assert_eq!(told(refused(429, 20)), ["waiting 20 s: the registry asks for patience (429), attempt 2 of 5"]);
        assert_eq!(told(unreachable(FailureKind::TimedOut)), ["waiting for h:5000: nobody, attempt 2 of 3"]);
        assert_eq!(told(unreachable(FailureKind::Refused)), [""; 0]);
        assert_eq!(told(refused(503, 0)), [""; 0]);
    }

    #[test]
    fn a_known_host_may_be_away_for_half_a_minute() {
        let operation = Operation::new(&|_| ());
        operation.cancel();
        let mut retry = Retry::of_known_host(&operation);
        for _ in 1..ATTEMPTS_OF_A_KNOWN_HOST {
            let error = retry.after(unreachable(FailureKind::Refused), operation.notice()).unwrap_err();
            assert!(matches!(error, Error::Stopped));
        }
        let error = retry.after(unreachable(FailureKind::Refused), operation.notice()).unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }));
    }

    #[test]
    fn each_kind_of_failure_has_its_own_count() {
        let operation = Operation::new(&|_| ());
        operation.cancel();
        let mut retry = Retry::new(&operation);
        let mut stays = |error| matches!(retry.after(error, &|_| ()), Err(Error::Stopped));
        // In any order: none of the one kind is the last of the other.
        for error in [refused(429, 0), refused(429, 0), unreachable(FailureKind::TimedOut), refused(429, 0)] {
            assert!(stays(error));
        }
        assert!(stays(unreachable(FailureKind::TimedOut)));
        assert!(stays(unreachable(FailureKind::Broken)));
        // All in all they are as many as both.
        assert!(!stays(unreachable(FailureKind::TimedOut)));
        assert!(!stays(unreachable(FailureKind::Refused)));
    }

    #[test]
    fn a_registry_that_asks_for_hours_is_believed_at_once() {
        let operation = Operation::new(&|_| ());
        let result = Retry::new(&operation).after(refused(429, 7200), operation.notice());
        assert!(matches!(result, Err(Error::Refused { .. })));
    }
}
