//! Unpacked layers: a directory each, called by the chain id.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};
use serde::{Deserialize, Serialize};

use super::files::{replace_file, sync_dir};
use super::{Image, Store, lock};
use crate::oci::Descriptor;
use crate::{Digest, failed_io};

const RECORD: &str = "layer.json";

/// What is written down beside the tree of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LayerRecord {
    /// The chain id of the layer that it stands on.
    pub(super) below: Option<Digest>,
    /// How many bytes its files have.
    pub(super) size: u64,
    /// The blobs that were seen to hold it when they came. The same contents can be compressed in many ways, and what
    /// a manifest says of them is not to be believed.
    #[serde(default)]
    pub(super) blobs: Vec<Descriptor>,
}

impl LayerRecord {
    /// Writes it into the directory of a layer that nobody else knows yet.
    pub(super) fn write_new(&self, layer: &Path) -> Result<()> {
        let path = layer.join(RECORD);
        Ok(fs::write(&path, serde_json::to_vec(self)?).map_err(failed_io("write", &path))?)
    }

    /// Writes it into the directory of a layer. A reader finds it whole.
    pub(super) fn write(&self, layer: &Path) -> Result<()> {
        Ok(replace_file(&layer.join(RECORD), &layer.join("layer.json.new"), &serde_json::to_vec(self)?)?)
    }
}

impl Store {
    /// The directories of the unpacked layers of `image`, bottom first.
    pub fn trees(&self, image: &Image) -> Vec<PathBuf> {
        image.layers.iter().map(|layer| self.tree(&layer.chain_id)).collect()
    }

    /// How many bytes the files of each layer of `image` have, bottom first.
    pub fn sizes(&self, image: &Image) -> Result<Vec<u64>> {
        image.layers.iter().map(|layer| Ok(self.layer_record(&layer.chain_id)?.size)).collect()
    }

    /// The chain ids of the layers from the bottom up to `top`; none if there is no such layer. `known` remembers which
    /// layer each stands on, so that a record is read once, however many layers are put on each other.
    pub(super) fn up_to(
        &self,
        top: Option<&Digest>,
        known: &mut HashMap<Digest, Option<Digest>>,
    ) -> Result<Vec<Digest>> {
        let mut chain = Vec::new();
        let mut next = top.copied();
        while let Some(chain_id) = next {
            chain.push(chain_id);
            next = match known.get(&chain_id) {
                Some(below) => *below,
                None => *known.entry(chain_id).insert_entry(self.layer_record(&chain_id)?.below).get(),
            };
        }
        chain.reverse();
        Ok(chain)
    }

    /// The blobs that hold the layer `chain_id`, which is unpacked: those that are there of all that ever came.
    pub(super) fn blobs_of(&self, chain_id: &Digest) -> Vec<Descriptor> {
        let record = self.layer_record(chain_id).ok().filter(|_| self.tree(chain_id).is_dir());
        let blobs = record.map(|record| record.blobs).unwrap_or_default();
        blobs.into_iter().filter(|blob| self.has_blob(blob)).collect()
    }

    /// Whether the layer `chain_id` is unpacked, and says what it is.
    pub(super) fn has_layer(&self, chain_id: &Digest) -> bool {
        self.layer_record(chain_id).is_ok() && self.tree(chain_id).is_dir()
    }

    /// Whether `blob` is one of them.
    pub(super) fn holds(&self, blob: &Descriptor, chain_id: &Digest) -> bool {
        let same = |known: &Descriptor| (known.digest, known.size) == (blob.digest, blob.size);
        self.blobs_of(chain_id).iter().any(same)
    }

    /// Writes down that `blob`, which is there and was checked, holds the layer `chain_id` too.
    pub(super) fn add_blob(&self, blob: &Descriptor, chain_id: &Digest) -> Result<()> {
        let _lock = lock::index(self)?;
        if self.holds(blob, chain_id) {
            return Ok(());
        }
        let mut record = self.layer_record(chain_id)?;
        // Those that were cleared away are forgotten here, so that the list does not grow for ever.
        record.blobs = self.blobs_of(chain_id);
        record.blobs.push(blob.clone());
        record.write(&self.layer(chain_id))?;
        sync_dir(&self.layer(chain_id))
    }

    pub(super) fn layer_record(&self, chain_id: &Digest) -> Result<LayerRecord> {
        let path = self.layer(chain_id).join(RECORD);
        let json = fs::read(&path).map_err(failed_io("read", &path));
        let record = json.map_err(Error::from).and_then(|json| Ok(serde_json::from_slice(&json)?));
        record.with_context(|| format!("layer {} is damaged: remove the image, and fetch it again", chain_id.short()))
    }

    pub(super) fn layer(&self, chain_id: &Digest) -> PathBuf {
        self.dir.join("layers").join(chain_id.hex())
    }

    pub(super) fn tree(&self, chain_id: &Digest) -> PathBuf {
        self.layer(chain_id).join("tree")
    }
}
