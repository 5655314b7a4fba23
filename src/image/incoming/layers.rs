//! Receiving layers, several at once.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use images::{ApplyLayer, Received, Writer};

use super::{Layer, Open};
use crate::progress::{LayerProgress, Progress};

/// How many are unpacked at a time.
const AT_ONCE: usize = 3;

/// A layer that is to be received.
pub(super) struct Task<'a> {
    at: usize,
    layer: &'a Layer,
    progress: LayerProgress<'a>,
}

impl<'a> Task<'a> {
    /// The layer with the number `at`.
    pub(super) fn new(at: usize, layer: &'a Layer, progress: &'a Progress) -> Task<'a> {
        let size = layer.expected.size.unwrap_or_default();
        Task { at, layer, progress: progress.layer(&layer.diff_id, size, "Waiting") }
    }

    fn receive(&self, writer: &Writer<'_>, open: &Open<'_>, apply: ApplyLayer, stop: &AtomicBool) -> Result<Received> {
        let receive = || {
            let mut bytes = Watched { inner: open(self.at)?, at: 0, progress: &self.progress, stop };
            writer.receive(&mut bytes, &self.layer.expected, apply)
        };
        let received = receive().with_context(|| format!("layer {}", self.layer.diff_id.short()))?;
        self.progress.done("Load complete");
        Ok(received)
    }
}

/// Receives all of them, and answers in their order; or with the first error.
pub(super) fn receive(
    writer: &Writer<'_>,
    tasks: &[Task<'_>],
    open: &Open<'_>,
    apply: ApplyLayer,
) -> Result<Vec<Received>> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Mutex<Vec<(usize, Result<Received>)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(tasks.len()) {
            scope.spawn(|| {
                while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed))
                    && !stop.load(Ordering::Relaxed)
                {
                    let received = task.receive(writer, open, apply, &stop);
                    // The first error is the one to tell: the others end because of it.
                    if received.is_ok() || !stop.swap(true, Ordering::Relaxed) {
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((task.at, received));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, received)| received).collect()
}

/// Tells how far it is, and ends when it is all for nothing.
struct Watched<'a, R> {
    inner: R,
    at: u64,
    progress: &'a LayerProgress<'a>,
    stop: &'a AtomicBool,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("another layer failed"));
        }
        let count = self.inner.read(buffer)?;
        self.at += count as u64;
        self.progress.at(self.at, "Loading layer");
        Ok(count)
    }
}
