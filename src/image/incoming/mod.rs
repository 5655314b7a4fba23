//! An image on its way into the store: out of an archive, or from somebody who pushes it.
//!
//! Layers that are there already are not looked at again; the others are received, several at once, and checked
//! against what the image's own documents say of them. The image is there when all of that went well.

mod layers;

use std::io::Read;

use anyhow::{Context, Result, bail};
use images::oci::{Descriptor, ImageConfig};
use images::{ApplyLayer, Digest, Expected, Image, Name, Store, Writer, chain_ids};

use crate::image::manifest::LAYERS_MAX;
use crate::progress::{Progress, ProgressTarget};

/// What the documents of an image say.
#[derive(Debug)]
pub struct Incoming {
    names: Vec<Name>,
    config: Vec<u8>,
    layers: Vec<Layer>,
    manifest: Option<(Vec<u8>, String)>,
}

/// A layer, and what it should be.
#[derive(Debug)]
struct Layer {
    expected: Expected,
    diff_id: Digest,
}

/// An image that is in the store.
#[derive(Debug)]
pub struct Arrived {
    /// The image, as it is in the store.
    pub image: Image,
    /// The names that it got.
    pub names: Vec<Name>,
    /// Names that it took from other images, and the ids of those.
    pub taken: Vec<(Name, Digest)>,
    /// What of it could not be unpacked here, a sentence each.
    pub warnings: Vec<String>,
}

/// Opens the layer with this number, as it comes: compressed or not.
pub type Open<'a> = dyn Fn(usize) -> Result<Box<dyn Read + Send + 'a>> + Sync + 'a;

impl Incoming {
    /// The image of this config, with what is said about its layers, bottom first, and with the bytes and the media type
    /// of its manifest, if it has one.
    pub fn new(config: Vec<u8>, layers: Vec<Expected>, manifest: Option<(Vec<u8>, String)>) -> Result<Incoming> {
        let parsed: ImageConfig = serde_json::from_slice(&config).context("its config cannot be read")?;
        let diff_ids = parsed.rootfs.diff_ids;
        if layers.len() != diff_ids.len() {
            bail!("it has {} layers, but its config knows {}", layers.len(), diff_ids.len());
        }
        if layers.len() > LAYERS_MAX {
            bail!("it has {} layers, and {LAYERS_MAX} is the most that can be stacked", layers.len());
        }
        let layer = |(expected, diff_id)| Layer { expected: Expected { diff_id: Some(diff_id), ..expected }, diff_id };
        let layers = layers.into_iter().zip(diff_ids).map(layer).collect();
        Ok(Incoming { names: Vec::new(), config, layers, manifest })
    }

    /// Gives it one more name.
    pub fn called(&mut self, name: Name) {
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// Its own manifest, if these are its layers byte for byte.
    fn manifest_of(&self, layers: &[Descriptor]) -> Option<(&[u8], &str)> {
        let (bytes, media_type) = self.manifest.as_ref()?;
        let same = |(wanted, found): (&Layer, &Descriptor)| wanted.expected.digest == Some(found.digest);
        self.layers.iter().zip(layers).all(same).then_some((bytes, media_type))
    }

    fn chain(&self) -> Vec<Digest> {
        chain_ids(&self.layers.iter().map(|layer| layer.diff_id).collect::<Vec<_>>())
    }
}

/// Takes images into a store.
pub struct Intake<'a> {
    store: &'a Store,
    writer: Writer<'a>,
    apply: ApplyLayer,
    progress: ProgressTarget,
}

impl<'a> Intake<'a> {
    /// Begins. Layers are unpacked with `apply`, and `progress` says where to show how far that is.
    pub fn begin(store: &'a Store, apply: ApplyLayer, progress: ProgressTarget) -> Result<Intake<'a>> {
        Ok(Intake { store, writer: store.write()?, apply, progress })
    }

    /// What writes to the store.
    pub fn writer(&self) -> &Writer<'a> {
        &self.writer
    }

    /// Takes one image in, whose missing layers `open` opens.
    pub fn take_in(&mut self, incoming: &Incoming, open: &Open<'_>) -> Result<Arrived> {
        let (layers, warnings) = self.layers(incoming, open)?;
        let names = incoming.names.clone();
        let mut taken = Vec::new();
        for name in &names {
            // One that is damaged is mended, or has no id to tell.
            let before =
                self.store.find(name).ok().flatten().filter(|before| before.id != Digest::of(&incoming.config));
            taken.extend(before.map(|before| (name.clone(), before.id)));
        }
        let image = match incoming.manifest_of(&layers) {
            Some((manifest, media_type)) => {
                self.writer.put(&incoming.config)?;
                self.writer.commit(manifest, media_type, &names)?
            }
            None => self.writer.commit_config(&incoming.config, layers, &names)?,
        };
        Ok(Arrived { image, names, taken, warnings })
    }

    /// Sees to it that all layers are in the store, each in its place, and answers with their blobs.
    fn layers(&self, incoming: &Incoming, open: &Open<'_>) -> Result<(Vec<Descriptor>, Vec<String>)> {
        let progress = Progress::begin(self.progress);
        let chain = incoming.chain();
        let there: Vec<_> = incoming.layers.iter().zip(&chain).map(|(layer, id)| self.there(layer, id)).collect();
        let missing = |at: &usize| there[*at].is_none();
        let tasks = (0..incoming.layers.len()).filter(missing).map(|at| (at, &incoming.layers[at]));
        let tasks: Vec<_> = tasks.map(|(at, layer)| layers::Task::new(at, layer, &progress)).collect();
        let mut received = layers::receive(&self.writer, &tasks, open, self.apply)?.into_iter();
        let (mut descriptors, mut warnings) = (Vec::new(), Vec::new());
        for (at, there) in there.into_iter().enumerate() {
            if let Some(descriptor) = there {
                descriptors.push(descriptor);
                continue;
            }
            let received = received.next().context("a layer was not received")?;
            let placed = self.writer.place(received, at.checked_sub(1).map(|below| &chain[below]))?;
            let layer = placed.diff_id.short();
            warnings.extend(placed.skipped.warnings().iter().map(|what| format!("{layer}: {what}")));
            descriptors.push(placed.descriptor);
        }
        Ok((descriptors, warnings))
    }

    /// The blob of a layer that is in the store and may stand for `wanted`: the one that is wanted, or any other where
    /// only the diff id is known, and not how the layer is compressed.
    fn there(&self, wanted: &Layer, chain_id: &Digest) -> Option<Descriptor> {
        let Expected { digest, size, .. } = wanted.expected;
        let any = digest.is_none_or(|digest| digest == wanted.diff_id);
        let same = |blob: &Descriptor| digest == Some(blob.digest) && size.is_none_or(|size| size == blob.size);
        self.writer.blobs_of(chain_id).into_iter().find(|blob| any || same(blob))
    }
}
