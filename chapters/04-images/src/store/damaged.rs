//! Images that cannot be read, because their manifest or config is damaged or gone.
//!
//! One of them must not stand in the way of the others, nor of its own removal: its names are in the index.

use std::collections::HashSet;
use std::fmt;
use std::fs;

use anyhow::Result;

use super::index::Names;
use super::layers::LayerRecord;
use super::{Image, Store};
use crate::oci::{Descriptor, Manifest};
use crate::{Digest, Name};

/// An image of which the manifest or the config cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedImage {
    /// Its names.
    pub names: Vec<Name>,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// Its id, where at least its manifest can be read.
    pub id: Option<Digest>,
    /// What is wrong.
    problem: String,
}

impl std::error::Error for DamagedImage {}

impl fmt::Display for DamagedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.names.iter().map(Name::to_string).collect();
        let called = if names.is_empty() { self.manifest.short() } else { names.join(" ") };
        let problem = &self.problem;
        write!(f, "image {called} is damaged ({problem}): remove it with `tinbox rmi {called}`, and fetch it again")
    }
}

/// What the store holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// All images that can be read, each once and with all its names, the newest first.
    pub images: Vec<Image>,
    /// The others.
    pub damaged: Vec<DamagedImage>,
}

/// What must stay.
pub(super) struct Needed {
    pub(super) blobs: HashSet<Digest>,
    /// By chain id.
    pub(super) layers: HashSet<Digest>,
    /// The images of which nobody can say what they need. As long as there is one, everything must stay.
    pub(super) unknown: Vec<DamagedImage>,
}

impl Store {
    /// All images: those that can be read, and those that cannot.
    pub fn listing(&self) -> Result<Listing> {
        let mut listing = Listing::default();
        for (name, manifest) in Names::read(self)?.entries {
            match self.read_image(name.as_ref(), &manifest) {
                Ok(image) => listing.add(name, image),
                Err(damaged) => listing.add_damaged(damaged),
            }
        }
        listing.images.sort_by_key(|image| (std::cmp::Reverse(image.created()), image.id));
        Ok(listing)
    }

    /// The image of this manifest, which is called `name`.
    pub(super) fn read_image(
        &self,
        name: Option<&Name>,
        manifest: &Descriptor,
    ) -> std::result::Result<Image, DamagedImage> {
        Image::read(self, manifest).map_err(|error| DamagedImage {
            names: name.into_iter().cloned().collect(),
            manifest: manifest.digest,
            id: self.read_manifest(&manifest.digest).ok().map(|manifest| manifest.config.digest),
            problem: format!("{error:#}"),
        })
    }

    /// What the images in the index need. Of one with a damaged config that is every layer that one of its blobs holds.
    pub(super) fn needed(&self) -> Result<Needed> {
        let mut needed = Needed { blobs: HashSet::new(), layers: HashSet::new(), unknown: Vec::new() };
        let mut held: Vec<Descriptor> = Vec::new();
        for (name, descriptor) in Names::read(self)?.entries {
            let damaged = match self.read_image(name.as_ref(), &descriptor) {
                Ok(image) => {
                    needed.blobs.extend([descriptor.digest, image.id]);
                    needed.blobs.extend(image.layers.iter().map(|layer| layer.descriptor.digest));
                    needed.layers.extend(image.layers.iter().map(|layer| layer.chain_id));
                    continue;
                }
                Err(damaged) => damaged,
            };
            match self.read_manifest(&descriptor.digest) {
                Ok(manifest) => {
                    needed.blobs.extend([descriptor.digest, manifest.config.digest]);
                    needed.blobs.extend(manifest.layers.iter().map(|layer| layer.digest));
                    held.extend(manifest.layers);
                }
                Err(_) => needed.unknown.push(damaged),
            }
        }
        if !held.is_empty() {
            needed.layers.extend(self.layers_that_may_hold(&held));
        }
        Ok(needed)
    }

    /// The layers that one of `blobs` holds, and those that do not say what holds them.
    fn layers_that_may_hold(&self, blobs: &[Descriptor]) -> Vec<Digest> {
        let layers = fs::read_dir(self.dir.join("layers")).into_iter().flatten().flatten();
        let chain_ids = layers.filter_map(|layer| Digest::parse_hex(layer.file_name().to_str()?));
        let may_hold = |chain_id: &Digest| match self.layer_record(chain_id) {
            Ok(LayerRecord { blobs: known, .. }) => {
                known.is_empty() || known.iter().any(|known| blobs.iter().any(|blob| blob.digest == known.digest))
            }
            Err(_) => true,
        };
        chain_ids.filter(may_hold).collect()
    }

    pub(super) fn read_manifest(&self, digest: &Digest) -> Result<Manifest> {
        Ok(serde_json::from_slice(&self.read_blob(digest)?)?)
    }
}

impl Listing {
    fn add(&mut self, name: Option<Name>, mut image: Image) {
        match self.images.iter_mut().find(|known| known.id == image.id) {
            Some(known) => known.called(name),
            None => {
                image.called(name);
                self.images.push(image);
            }
        }
    }

    fn add_damaged(&mut self, damaged: DamagedImage) {
        match self.damaged.iter_mut().find(|known| known.manifest == damaged.manifest) {
            Some(known) => known.names.extend(damaged.names),
            None => self.damaged.push(damaged),
        }
    }
}
