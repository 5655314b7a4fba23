//! Taking names away, and clearing away what nothing refers to any more.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::draft::{self, Draft};
use super::index::Room;
use super::lock::{self, ExclusiveLock};
use super::{DamagedImage, Image, Store, spare};
use crate::{Digest, Name, failed_io, remove_tree};

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

/// What a collection did.
#[derive(Debug)]
pub struct Collection {
    /// What was cleared away. It is not there any more, but the files of layers still take their room.
    pub collected: Vec<Collected>,
    /// Images that are so damaged that nobody can say what they need. As long as one is there, nothing is cleared away.
    pub unknown: Vec<DamagedImage>,
    store: Store,
    leftovers: Vec<Draft>,
}

impl Collection {
    /// Removes the files of what was cleared away. That can take long, so let go of the lock on the store first. Where it
    /// is not done, the next one who adds something does it.
    pub fn remove_files(self) -> Result<()> {
        let removed = self.leftovers.into_iter().try_for_each(Draft::remove);
        // There may have been no room for it until now.
        if let Ok(_lock) = lock::index(&self.store) {
            spare::keep(&self.store);
        }
        removed.context("remove the files of layers that are not used any more")
    }
}

impl Store {
    /// Takes `name` away. `keep` says whether its image stays, without a name, if that was its last one.
    pub fn untag(&self, name: &Name, keep: bool) -> Result<()> {
        self.change_names(Room::Spare, |names| names.unset(name, keep))
    }

    /// Takes all names of `image` away; with `keep` it stays without one.
    pub fn forget(&self, image: &Image, keep: bool) -> Result<()> {
        let same = |manifest: &Digest| *manifest == image.manifest.digest || self.id_of(manifest) == Some(image.id);
        self.change_names(Room::Spare, |names| {
            names.entries.retain(|(_, manifest)| !same(&manifest.digest));
            if keep {
                names.keep(&image.manifest);
            }
        })
    }

    /// Takes all names of a damaged image away; with `keep` it stays without one.
    pub fn forget_damaged(&self, image: &DamagedImage, keep: bool) -> Result<()> {
        self.change_names(Room::Spare, |names| {
            let manifest = names.entries.iter().find(|(_, known)| known.digest == image.manifest).cloned();
            names.entries.retain(|(_, known)| known.digest != image.manifest);
            names.entries.extend(manifest.filter(|_| keep).map(|(_, manifest)| (None, manifest)));
        })
    }

    /// Which image this manifest is of.
    fn id_of(&self, manifest: &Digest) -> Option<Digest> {
        Some(self.read_manifest(manifest).ok()?.config.digest)
    }

    /// Keeps others from adding, and from starting to use an image, until the result is dropped. `None` if somebody does
    /// just now.
    pub fn alone(&self) -> Result<Option<ExclusiveLock>> {
        ExclusiveLock::try_take(self)
    }

    /// Clears away all that no image in the index refers to.
    ///
    /// Whoever has unpacked layers in use must have their image in the index. Call it as whoever may remove what the
    /// layers hold: root, or root of the user namespace with the lent ids.
    pub fn collect(&self, _alone: &ExclusiveLock) -> Result<Collection> {
        let needed = self.needed()?;
        let leftovers = draft::abandoned(self).context("clean up after a layer that was never finished")?;
        let (store, collected) = (self.clone(), Vec::new());
        let mut collection = Collection { collected, unknown: needed.unknown, store, leftovers };
        if !collection.unknown.is_empty() {
            return Ok(collection);
        }
        for (digest, path) in unreferred(&self.dir.join("layers"), &needed.layers)? {
            // One that is damaged is to go all the more.
            let bytes = self.layer_record(&digest).map_or(0, |record| record.size);
            collection.leftovers.extend(self.discard(&path)?);
            collection.collected.push(Collected { what: CollectedKind::Layer, digest, bytes });
        }
        for (digest, path) in unreferred(&self.dir.join("blobs/sha256"), &needed.blobs)? {
            let bytes = fs::symlink_metadata(&path).map_err(failed_io("stat", &path))?.len();
            remove_tree(&path)?;
            collection.collected.push(Collected { what: CollectedKind::Blob, digest, bytes });
        }
        Ok(collection)
    }

    /// Takes a layer away at once, even if the rest is cut short. What it held goes with the result.
    fn discard(&self, layer: &Path) -> Result<Option<Draft>> {
        let draft = lock::index(self).and_then(|_lock| Draft::take_away(self, layer));
        if let Ok(draft) = draft {
            return Ok(Some(draft));
        }
        // Nothing refers to it, so it can go where it is. One without its tree counts as missing, and the tree must not
        // be there in part. The new name is no longer than the old one: that takes no room.
        let tree = layer.join("tree");
        match fs::rename(&tree, layer.join("gone")) {
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(failed_io("rename", &tree)(error).into());
            }
            _ => {}
        }
        remove_tree(layer).with_context(|| format!("remove {}", layer.display()))?;
        Ok(None)
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
