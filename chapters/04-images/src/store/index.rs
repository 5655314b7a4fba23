//! `index.json`: which names there are, and which manifest each stands for.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::files::{is_full, replace_file, sync_dir};
use super::{Store, lock, spare};
use crate::oci::{Descriptor, Index, REF_NAME};
use crate::{Name, failed_io};

/// What marks a directory as an image layout.
const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

const OCI_LAYOUT: &str = "oci-layout";

pub(super) const INDEX: &str = "index.json";

/// An index of nothing.
const EMPTY: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

/// What a new index may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// What is free.
    Free,
    /// Where nothing is free, what is kept for this: images are removed, which makes room.
    Spare,
}

/// The names of a store. An image that has lost its name has an entry without one.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) entries: Vec<(Option<Name>, Descriptor)>,
}

impl Names {
    /// Reads all of it. A store in which nothing is needs no index.
    pub(super) fn read(store: &Store) -> Result<Names> {
        let path = store.dir.join(INDEX);
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if is_empty(store) || !was_begun(store) {
                    return Ok(Names::default());
                }
                // The very first image may have come since.
                let missing = || format!("{} is missing, though there are images{}", path.display(), way_out(&path));
                fs::read(&path).with_context(missing)?
            }
            Err(error) => return Err(failed_io("read", &path)(error).into()),
        };
        let index: Index = serde_json::from_slice(&json)
            .map_err(|error| anyhow!("{} is damaged: {error}{}", path.display(), way_out(&path)))?;
        let entry = |descriptor: Descriptor| {
            let name = descriptor.annotations.get(REF_NAME).and_then(|name| Name::parse(name).ok());
            (name, descriptor)
        };
        Ok(Names { entries: index.manifests.into_iter().map(entry).collect() })
    }

    /// Writes all of it, so that a reader finds the old index or the new one. The store is locked.
    pub(super) fn write(self, store: &Store, room: Room) -> Result<()> {
        let descriptor = |(name, mut descriptor): (Option<Name>, Descriptor)| {
            descriptor.annotations.clear();
            name.map(|name| descriptor.annotations.insert(REF_NAME.into(), name.full()));
            descriptor
        };
        let index = Index::new(self.entries.into_iter().map(descriptor).collect());
        let json = serde_json::to_vec(&index)?;
        match replace(store, INDEX, &json) {
            Err(error) if room == Room::Spare && is_full(&error) => spare::become_index(store, &json).or(Err(error))?,
            written => written?,
        }
        sync_dir(&store.dir)?;
        spare::keep(store);
        Ok(())
    }

    /// Sees to it that there is an index, so that a store without one is known to be damaged. Nothing is put into
    /// such a store: it could not get a name.
    pub(super) fn begin(store: &Store) -> Result<()> {
        Names::read(store)?;
        let is_there = |name: &str| store.dir.join(name).exists();
        if is_there(INDEX) && is_there(OCI_LAYOUT) {
            return Ok(());
        }
        let _lock = lock::index(store)?;
        // The index comes first: without it, the other file says that the store is damaged.
        if !is_there(INDEX) {
            Names::read(store)?.write(store, Room::Free)?;
        }
        if !is_there(OCI_LAYOUT) {
            replace(store, OCI_LAYOUT, LAYOUT.as_bytes())?;
        }
        Ok(())
    }

    /// The manifest that `name` stands for.
    pub(super) fn of(&self, name: &Name) -> Option<&Descriptor> {
        self.entries.iter().find(|(known, _)| known.as_ref() == Some(name)).map(|(_, manifest)| manifest)
    }

    /// Lets `name` stand for `manifest`. An image that has it now and no other keeps an entry without a name.
    pub(super) fn set(&mut self, name: &Name, manifest: &Descriptor) {
        self.unset(name, true);
        // It has a name now.
        self.entries.retain(|(known, descriptor)| known.is_some() || descriptor.digest != manifest.digest);
        self.entries.push((Some(name.clone()), manifest.clone()));
    }

    /// Takes `name` away; `keep` says whether its image stays if that was its last.
    pub(super) fn unset(&mut self, name: &Name, keep: bool) {
        let Some(at) = self.entries.iter().position(|(known, _)| known.as_ref() == Some(name)) else { return };
        let (_, manifest) = self.entries.remove(at);
        if keep {
            self.keep(&manifest);
        }
    }

    /// Sees to it that `manifest` has an entry, if only one without a name.
    pub(super) fn keep(&mut self, manifest: &Descriptor) {
        if !self.entries.iter().any(|(_, known)| known.digest == manifest.digest) {
            self.entries.push((None, manifest.clone()));
        }
    }
}

/// Whether there are no blobs and no layers.
fn is_empty(store: &Store) -> bool {
    let has_something = |dir| fs::read_dir(store.dir.join(dir)).is_ok_and(|mut entries| entries.next().is_some());
    !["blobs/sha256", "layers"].into_iter().any(has_something)
}

/// Whether it ever had an index. One that an earlier version did not finish has layers, and nothing else.
fn was_begun(store: &Store) -> bool {
    [OCI_LAYOUT, spare::SPARE].into_iter().any(|name| store.dir.join(name).exists())
}

/// Nothing else knows the names.
fn way_out(index: &Path) -> String {
    format!(
        "\n  help: only a backup of it has the names of the images. Without one, begin anew with \
         `echo '{EMPTY}' > '{}'`: images that you fetch again find their layers there, and `tinbox image prune` removes \
         the rest",
        index.display()
    )
}

fn replace(store: &Store, name: &str, bytes: &[u8]) -> look::Result<()> {
    replace_file(&store.dir.join(name), &store.dir.join(format!("{name}.new")), bytes)
}
