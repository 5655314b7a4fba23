//! Unpacked layers: a directory each, called by the chain id.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{Image, Store};
use crate::{Digest, failed_io};

/// What is written down beside the tree of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LayerRecord {
    /// The chain id of the layer that it stands on.
    pub(super) below: Option<Digest>,
    /// How many bytes its files have.
    pub(super) size: u64,
}

impl LayerRecord {
    /// Writes it into the directory of a layer, so that it is on disk.
    pub(super) fn write(&self, layer: &Path) -> Result<()> {
        let path = layer.join("layer.json");
        let mut file = File::create(&path).map_err(failed_io("open", &path))?;
        let written = file.write_all(&serde_json::to_vec(self)?).and_then(|()| file.sync_all());
        written.with_context(|| format!("write {}", path.display()))
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

    /// The trees from the bottom up to the layer `top`; none if there is no such layer.
    pub(super) fn up_to(&self, top: Option<&Digest>) -> Result<Vec<PathBuf>> {
        let mut trees = Vec::new();
        let mut next = top.copied();
        while let Some(chain_id) = next {
            trees.push(self.tree(&chain_id));
            next = self.layer_record(&chain_id)?.below;
        }
        trees.reverse();
        Ok(trees)
    }

    pub(super) fn layer_record(&self, chain_id: &Digest) -> Result<LayerRecord> {
        let path = self.layer(chain_id).join("layer.json");
        let json = fs::read(&path).map_err(failed_io("read", &path))?;
        serde_json::from_slice(&json).with_context(|| format!("{} is damaged", path.display()))
    }

    pub(super) fn layer(&self, chain_id: &Digest) -> PathBuf {
        self.dir.join("layers").join(chain_id.hex())
    }

    pub(super) fn tree(&self, chain_id: &Digest) -> PathBuf {
        self.layer(chain_id).join("tree")
    }
}
