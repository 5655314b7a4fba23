//! Receiving layers, several at once.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use images::{ApplyLayer, Received, Writer};

use super::{Layer, Open};
use crate::parallel;
use crate::progress::{LayerProgress, Progress};

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
    let stop = AtomicBool::new(false);
    let receive = |task: &Task<'_>| task.receive(writer, open, apply, &stop);
    let (mut done, failed) = parallel::each(tasks, receive, |results| {
        let (mut done, mut failed) = (Vec::new(), None);
        for (number, received) in results {
            match received {
                Ok(received) => done.push((number, received)),
                // The first error is the one to tell: the others end because of it.
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    failed.get_or_insert(error);
                }
            }
        }
        (done, failed)
    });
    done.sort_by_key(|(number, _)| *number);
    failed.map_or_else(|| Ok(done.into_iter().map(|(_, received)| received).collect()), Err)
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
