//! Bringing the layers of an image into the store: those that are not there yet, several at once.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use images::oci::Descriptor;
use images::{ApplyLayer, Digest, Image, Received, Store, Writer};

use super::{Contents, PackedLayer};
use crate::registry::{LayerProgress, Progress};

/// How many are unpacked at a time.
const AT_ONCE: usize = 3;

/// The layers of the images in the store: by what they are in their place, and with the blob that was checked then.
pub(super) struct Known(HashMap<Digest, Descriptor>);

impl Known {
    pub(super) fn of(store: &Store) -> Result<Known> {
        let mut known = Known(HashMap::new());
        store.list()?.iter().for_each(|image| known.note(image));
        Ok(known)
    }

    /// Takes note of the layers of an image in the store.
    pub(super) fn note(&mut self, image: &Image) {
        self.0.extend(image.layers.iter().map(|layer| (layer.chain_id, layer.descriptor.clone())));
    }

    /// The layer that is there in place of `wanted`: the same blob, or one for which any will do.
    fn get(&self, writer: &Writer<'_>, wanted: &PackedLayer, chain_id: &Digest) -> Option<&Descriptor> {
        let there = self.0.get(chain_id)?;
        let same = |digest| digest == there.digest || digest == wanted.diff_id;
        let fits = wanted.expected.digest.is_none_or(same);
        (fits && writer.has_layer(&there.digest, chain_id)).then_some(there)
    }

    /// Sees to it that all these layers are in the store, each in its place, and answers with their blobs.
    pub(super) fn bring(
        &self,
        writer: &Writer<'_>,
        contents: &Contents,
        layers: &[PackedLayer],
        apply: ApplyLayer,
        progress: &Progress,
    ) -> Result<(Vec<Descriptor>, Vec<String>)> {
        let chain = PackedLayer::chain(layers);
        let there: Vec<_> = layers.iter().zip(&chain).map(|(layer, id)| self.get(writer, layer, id)).collect();
        let missing: Vec<usize> = (0..layers.len()).filter(|at| there[*at].is_none()).collect();
        let tasks: Vec<Task<'_>> = missing.iter().map(|at| Task::new(contents, &layers[*at], progress)).collect();
        let mut received = receive(writer, &tasks, apply)?.into_iter();
        let (mut descriptors, mut warnings) = (Vec::new(), Vec::new());
        for (at, there) in there.into_iter().enumerate() {
            if let Some(descriptor) = there {
                descriptors.push(descriptor.clone());
                continue;
            }
            let received = received.next().context("a layer was not received")?;
            let placed = writer.place(received, at.checked_sub(1).map(|below| &chain[below]))?;
            descriptors.push(placed.descriptor);
            let layer = placed.diff_id.short();
            warnings.extend(placed.left_out.warnings().iter().map(|what| format!("{layer}: {what}")));
        }
        Ok((descriptors, warnings))
    }
}

/// A layer that is to be received.
struct Task<'a> {
    contents: &'a Contents,
    layer: &'a PackedLayer,
    progress: LayerProgress<'a>,
}

impl<'a> Task<'a> {
    fn new(contents: &'a Contents, layer: &'a PackedLayer, progress: &'a Progress) -> Task<'a> {
        let progress = progress.layer(&layer.diff_id, layer.extent.size, "Waiting");
        Task { contents, layer, progress }
    }

    fn receive(&self, writer: &Writer<'_>, apply: ApplyLayer, stop: &AtomicBool) -> Result<Received> {
        let inner = self.contents.reader(self.layer.extent);
        let mut bytes = Watched { inner, at: 0, progress: &self.progress, stop };
        let received = writer.receive(&mut bytes, &self.layer.expected, apply);
        let received = received.with_context(|| format!("load layer {}", self.layer.diff_id.short()))?;
        self.progress.done("Load complete");
        Ok(received)
    }
}

/// Receives all of them, in their order, or none.
fn receive(writer: &Writer<'_>, tasks: &[Task<'_>], apply: ApplyLayer) -> Result<Vec<Received>> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Mutex<Vec<(usize, Result<Received>)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(tasks.len()) {
            scope.spawn(|| {
                while let at = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(task) = tasks.get(at)
                    && !stop.load(Ordering::Relaxed)
                {
                    let received = task.receive(writer, apply, &stop);
                    // The first error is the one to tell: the others end because of it.
                    if received.is_ok() || !stop.swap(true, Ordering::Relaxed) {
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((at, received));
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
