//! One piece of work with a registry, of which several threads may do a part each.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::registry::error::{Error, Result};

/// Where a line goes that says why nothing happens for the moment.
pub type Notice<'a> = &'a (dyn Fn(&str) + Sync);

/// A piece of work that can be given up.
pub struct Operation<'a> {
    cancelled: Mutex<bool>,
    news: Condvar,
    notice: Notice<'a>,
}

impl<'a> Operation<'a> {
    /// One whose longer waits are told to `notice`.
    pub fn new(notice: Notice<'a>) -> Operation<'a> {
        Operation { cancelled: Mutex::default(), news: Condvar::new(), notice }
    }

    /// Where its waits are told.
    pub fn notice(&self) -> Notice<'a> {
        self.notice
    }

    /// Tells all threads that it failed elsewhere.
    pub fn cancel(&self) {
        *self.cancelled.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.news.notify_all();
    }

    /// An error if it was cancelled.
    pub fn check(&self) -> Result<()> {
        self.pause(Duration::ZERO)
    }

    /// Waits, unless there is nothing to wait for any more.
    pub(super) fn pause(&self, time: Duration) -> Result<()> {
        let cancelled = self.cancelled.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.news.wait_timeout_while(cancelled, time, |cancelled| !*cancelled);
        let (cancelled, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *cancelled { Err(Error::Stopped) } else { Ok(()) }
    }
}
