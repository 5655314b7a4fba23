//! The layers of an image, several at a time.
//!
//! Each is hashed, inflated and unpacked as it comes. They get their places from the bottom up: what is above waits in
//! its draft until what is below is there.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use images::oci::{Descriptor, ImageConfig, Manifest};
use images::{ApplyLayer, Digest, Expected, Received, Store, Writer, chain_ids};

use super::Source;
use super::resume::Resuming;
use crate::image::room;
use crate::parallel;
use crate::progress::{LayerProgress, Progress};
use crate::registry::error::{self, Error};

/// What came of them.
pub struct Layers {
    /// As they are in the store, bottom first.
    pub layers: Vec<Descriptor>,
    /// Whether that is what the manifest says. What comes uncompressed is not kept so.
    pub as_described: bool,
    /// What was left out.
    pub warnings: Vec<String>,
}

/// A layer that is wanted.
struct Wanted<'a> {
    descriptor: &'a Descriptor,
    diff_id: Digest,
    chain_id: Digest,
    below: Option<Digest>,
    /// None if it is there already.
    progress: Option<LayerProgress<'a>>,
}

/// How they are got.
pub struct Work<'a> {
    /// From where.
    pub source: &'a Source<'a>,
    /// To where.
    pub store: &'a Store,
    /// The permission to write there.
    pub writer: &'a Writer<'a>,
    /// What unpacks them.
    pub apply: ApplyLayer,
    /// Where to tell.
    pub progress: &'a Progress,
}

impl Work<'_> {
    /// Gets those layers of `manifest` that are not in the store yet, and puts all in their places.
    pub fn receive(&self, manifest: &Manifest, config: &ImageConfig) -> Result<Layers> {
        let wanted = self.wanted(manifest, config);
        let missing: Vec<usize> = (0..wanted.len()).filter(|at| wanted[*at].progress.is_some()).collect();
        let receive = |at: &usize| self.receive_one(&wanted[*at]);
        parallel::each(&missing, receive, |results| {
            let mut results = results.map(|(number, received)| (missing[number], received));
            let placed = place_all(self.writer, &wanted, &mut results);
            // The others give up as well. What they have to say then is not why it failed.
            placed.inspect_err(|_| self.source.client.operation().cancel())
        })
    }

    fn wanted<'a>(&'a self, manifest: &'a Manifest, config: &ImageConfig) -> Vec<Wanted<'a>> {
        let chain_ids = chain_ids(&config.rootfs.diff_ids);
        let layers = manifest.layers.iter().zip(config.rootfs.diff_ids.iter().zip(&chain_ids));
        let is_there =
            |(layer, (_, chain_id)): &(&Descriptor, (&Digest, &Digest))| self.writer.has_layer(layer, chain_id);
        // As in docker: an image that is there as a whole is not told layer by layer.
        let all_are_there = layers.clone().all(|layer| is_there(&layer));
        let mut below = None;
        let wanted = layers.filter(|_| !all_are_there).map(|layer| {
            let there = is_there(&layer);
            let (descriptor, (diff_id, chain_id)) = layer;
            let first = if there { "Already exists" } else { "Pulling fs layer" };
            let shown = self.progress.layer(&descriptor.digest, descriptor.size, first);
            let below = below.replace(*chain_id);
            Wanted { descriptor, diff_id: *diff_id, chain_id: *chain_id, below, progress: (!there).then_some(shown) }
        });
        wanted.collect()
    }

    fn receive_one(&self, wanted: &Wanted<'_>) -> Result<Received> {
        let Descriptor { digest, size, .. } = wanted.descriptor;
        let progress = wanted.progress.as_ref().context("the layer is there already")?;
        let expected = Expected { digest: Some(*digest), size: Some(*size), diff_id: Some(wanted.diff_id) };
        self.source.client.operation().check()?;
        let received = match self.store.open_blob(digest)? {
            // It is there, but unpacked for another place.
            Some((mut file, there)) if there == *size => self.writer.receive(&mut file, &expected, self.apply),
            _ => {
                let mut coming = Resuming::new(self.source, *digest, *size, progress);
                self.writer.receive(&mut coming, &expected, self.apply)
            }
        };
        received.with_context(|| format!("layer {}", digest.short())).map_err(room::with_help)
    }
}

/// Gives each layer its place when it has come and the one below is there.
fn place_all(
    writer: &Writer<'_>,
    wanted: &[Wanted<'_>],
    coming: &mut dyn Iterator<Item = (usize, Result<Received>)>,
) -> Result<Layers> {
    let mut layers = Layers { layers: Vec::new(), as_described: true, warnings: Vec::new() };
    let mut early: BTreeMap<usize, Received> = BTreeMap::new();
    for (at, layer) in wanted.iter().enumerate() {
        let Some(progress) = &layer.progress else {
            layers.layers.push(layer.descriptor.clone());
            continue;
        };
        let received = loop {
            if let Some(received) = early.remove(&at) {
                break received;
            }
            let (other, received) = coming.next().context("a layer did not come")?;
            early.insert(other, received?);
        };
        let placed =
            writer.place(received, layer.below.as_ref()).with_context(|| format!("layer {}", progress.id()))?;
        if placed.chain_id != layer.chain_id {
            return Err(wrong_place(layer).into());
        }
        progress.done("Pull complete");
        layers.warnings.extend(placed.skipped.warnings().into_iter().map(|what| format!("{}: {what}", progress.id())));
        layers.as_described &= placed.descriptor.digest == layer.descriptor.digest;
        layers.layers.push(placed.descriptor);
    }
    Ok(layers)
}

fn wrong_place(layer: &Wanted<'_>) -> error::Error {
    Error::Wrong(format!("layer {} is not the one that the config means", layer.descriptor.digest.short()))
}
