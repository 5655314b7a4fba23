//! An image, read from the store.

use anyhow::{Context, Result, ensure};

use super::Store;
use crate::oci::{Descriptor, ImageConfig, Manifest};
use crate::{Digest, Name, chain_ids, timestamp};

/// An image in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The digest of its config, which is what Docker calls its id.
    pub id: Digest,
    /// Its manifest.
    pub manifest: Descriptor,
    /// How to start it, and how it came to be.
    pub config: ImageConfig,
    /// Its layers, bottom first.
    pub layers: Vec<ImageLayer>,
    /// Its names with tags. Empty where only one was asked for.
    pub names: Vec<Name>,
    /// Its names with digests, as registries know it.
    pub digests: Vec<Name>,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageLayer {
    /// The blob, compressed.
    pub descriptor: Descriptor,
    /// The digest of its contents without the compression.
    pub diff_id: Digest,
    /// What it is called together with the layers below it.
    pub chain_id: Digest,
}

impl Image {
    /// Reads the image of this manifest, and checks that its parts fit together.
    pub(super) fn read(store: &Store, manifest: &Descriptor) -> Result<Image> {
        let bytes = store.read_blob(&manifest.digest)?;
        Image::from_manifest(store, manifest, &bytes)
    }

    /// The same, of a manifest that was read.
    pub(super) fn from_manifest(store: &Store, descriptor: &Descriptor, manifest: &[u8]) -> Result<Image> {
        let manifest: Manifest = serde_json::from_slice(manifest).context("its manifest is none")?;
        let config = store.read_blob(&manifest.config.digest)?;
        let (size, said) = (config.len() as u64, manifest.config.size);
        ensure!(size == said, "its manifest says that its config has {said} bytes, but it has {size}");
        let config: ImageConfig = serde_json::from_slice(&config).context("its config is none")?;
        let diff_ids = &config.rootfs.diff_ids;
        let (layers, known) = (manifest.layers.len(), diff_ids.len());
        ensure!(layers == known, "its manifest has {layers} layers, but its config knows {known}");
        let layers = manifest.layers.into_iter().zip(diff_ids.iter().zip(chain_ids(diff_ids)));
        Ok(Image {
            id: manifest.config.digest,
            manifest: Descriptor::new(&descriptor.media_type, descriptor.digest, descriptor.size),
            layers: layers
                .map(|(descriptor, (diff_id, chain_id))| ImageLayer { descriptor, diff_id: *diff_id, chain_id })
                .collect(),
            config,
            names: Vec::new(),
            digests: Vec::new(),
        })
    }

    /// When it was made, in seconds since 1970; 0 if it does not say.
    pub fn created(&self) -> i64 {
        self.config.created.as_deref().and_then(timestamp::parse).map_or(0, |(seconds, _)| seconds)
    }

    /// The digest of all its layers together, which names its tree; `None` for an image without layers.
    pub fn chain_id(&self) -> Option<Digest> {
        self.layers.last().map(|layer| layer.chain_id)
    }

    /// Takes note of a name of it.
    pub(super) fn called(&mut self, name: Option<Name>) {
        if let Some(name) = name {
            let names = if name.digest().is_some() { &mut self.digests } else { &mut self.names };
            names.push(name);
            names.sort();
        }
    }

    /// What is wrong with its layers in `store`: something is missing, or a blob is not known to hold its layer.
    pub(super) fn problem(&self, store: &Store) -> Option<String> {
        let blobs = self.layers.iter().map(|layer| store.blob(&layer.descriptor.digest));
        let trees = self.layers.iter().map(|layer| store.tree(&layer.chain_id));
        if let Some(missing) = blobs.chain(trees).find(|path| !path.exists()) {
            return Some(format!("{} is missing", missing.display()));
        }
        let wrong = self.layers.iter().find(|layer| !store.holds(&layer.descriptor, &layer.chain_id))?;
        let Descriptor { digest, size, .. } = &wrong.descriptor;
        Some(format!("the blob {digest} of {size} bytes is not known to hold the layer {}", wrong.diff_id))
    }
}
