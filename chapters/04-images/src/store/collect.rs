//! Taking names away, and clearing away what nothing refers to any more.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::draft::{self, Draft};
use super::index::Names;
use super::lock::SharedLock;
use super::{Image, Store};
use crate::{Digest, Name, failed_io, remove_tree};

/// As long as it lives, nobody adds anything to the store.
#[derive(Debug)]
pub struct ExclusiveLock(#[expect(dead_code, reason = "it is held, not looked at")] SharedLock);

/// Something that was cleared away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// What it was.
    pub what: CollectedKind,
    /// Its name: a digest of a blob, or the chain id of a layer.
    pub digest: Digest,
    /// How many bytes that freed.
    pub bytes: u64,
}

/// What was cleared away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectedKind {
    /// A manifest, a config, or a layer as it came.
    Blob,
    /// An unpacked layer.
    Layer,
}

impl Store {
    /// Takes `name` away. `keep` says whether its image stays, without a name, if that was its last one.
    pub fn untag(&self, name: &Name, keep: bool) -> Result<()> {
        self.change_names(|names| names.unset(name, keep))
    }

    /// Takes all names of `image` away; with `keep` it stays without one.
    pub fn forget(&self, image: &Image, keep: bool) -> Result<()> {
        let same = |manifest: &Digest| *manifest == image.manifest.digest || self.id_of(manifest) == Some(image.id);
        self.change_names(|names| {
            names.entries.retain(|(_, manifest)| !same(&manifest.digest));
            if keep {
                names.keep(&image.manifest);
            }
        })
    }

    /// Which image this manifest is of.
    fn id_of(&self, manifest: &Digest) -> Option<Digest> {
        let manifest: crate::oci::Manifest = serde_json::from_slice(&self.read_blob(manifest).ok()?).ok()?;
        Some(manifest.config.digest)
    }

    /// Keeps others from adding, and from starting to use an image, until the result is dropped. `None` if somebody does
    /// just now.
    pub fn alone(&self) -> Result<Option<ExclusiveLock>> {
        Ok(SharedLock::exclusive(self)?.map(ExclusiveLock))
    }

    /// Clears away all that no image in the index refers to.
    ///
    /// Whoever has unpacked layers in use must have their image in the index. Call it as whoever may remove what the
    /// layers hold: root, or root of the user namespace with the lent ids.
    pub fn collect(&self, _alone: &ExclusiveLock) -> Result<Vec<Collected>> {
        draft::sweep(self).context("clean up after a layer that was never finished")?;
        let (blobs, layers) = self.referred_to()?;
        let mut collected = Vec::new();
        for (dir, what, kept) in
            [("layers", CollectedKind::Layer, layers), ("blobs/sha256", CollectedKind::Blob, blobs)]
        {
            for (digest, path) in unreferred(&self.dir.join(dir), &kept)? {
                let bytes = match what {
                    CollectedKind::Blob => fs::symlink_metadata(&path).map_err(failed_io("stat", &path))?.len(),
                    // One that is damaged is to go all the more.
                    CollectedKind::Layer => self.layer_record(&digest).map_or(0, |record| record.size),
                };
                self.discard(&path)?;
                collected.push(Collected { what, digest, bytes });
            }
        }
        Ok(collected)
    }

    /// The digests of all blobs, and the chain ids of all layers, that are in use.
    fn referred_to(&self) -> Result<(HashSet<Digest>, HashSet<Digest>)> {
        let (mut blobs, mut layers) = (HashSet::new(), HashSet::new());
        for (_, manifest) in Names::read(self)?.entries {
            let image = Image::read(self, &manifest)?;
            blobs.extend([manifest.digest, image.id]);
            blobs.extend(image.layers.iter().map(|layer| layer.descriptor.digest));
            layers.extend(image.layers.iter().map(|layer| layer.chain_id));
        }
        Ok((blobs, layers))
    }

    /// Removes `path`, which is gone from its place at once, even if the rest is cut short.
    fn discard(&self, path: &Path) -> Result<()> {
        let draft = Draft::begin(self)?;
        let away = draft.layer().join("away");
        fs::rename(path, &away).map_err(failed_io("rename", path))?;
        remove_tree(&away).with_context(|| format!("remove {}", path.display()))
    }
}

/// What is in `dir` under a digest that is not among those kept.
fn unreferred(dir: &Path, kept: &HashSet<Digest>) -> Result<Vec<(Digest, PathBuf)>> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return Ok(found) };
    for entry in entries {
        let entry = entry.map_err(failed_io("getdents64", dir))?;
        let name: OsString = entry.file_name();
        let digest = name.to_str().and_then(Digest::parse_hex).filter(|digest| !kept.contains(digest));
        found.extend(digest.map(|digest| (digest, entry.path())));
    }
    found.sort();
    Ok(found)
}
