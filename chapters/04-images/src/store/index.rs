//! `index.json`: which names there are, and which manifest each stands for.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};

use super::Store;
use super::draft::sync_dir;
use crate::oci::{Descriptor, Index, REF_NAME};
use crate::{Name, failed_io};

/// What marks a directory as an image layout.
const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// The names of a store. An image that has lost its name has an entry without one.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) entries: Vec<(Option<Name>, Descriptor)>,
}

impl Names {
    pub(super) fn read(store: &Store) -> Result<Names> {
        let path = store.dir.join("index.json");
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Names::default()),
            Err(error) => return Err(failed_io("read", &path)(error).into()),
        };
        let index: Index = serde_json::from_slice(&json).with_context(|| format!("{} is damaged", path.display()))?;
        let entry = |descriptor: Descriptor| {
            let name = descriptor.annotations.get(REF_NAME).and_then(|name| Name::parse(name).ok());
            (name, descriptor)
        };
        Ok(Names { entries: index.manifests.into_iter().map(entry).collect() })
    }

    /// Writes all of it, so that a reader finds the old index or the new one. The store is locked.
    pub(super) fn write(self, store: &Store) -> Result<()> {
        let descriptor = |(name, mut descriptor): (Option<Name>, Descriptor)| {
            descriptor.annotations.clear();
            name.map(|name| descriptor.annotations.insert(REF_NAME.into(), name.full()));
            descriptor
        };
        let index = Index::new(self.entries.into_iter().map(descriptor).collect());
        if !store.dir.join("oci-layout").exists() {
            write(store, "oci-layout", LAYOUT.as_bytes())?;
        }
        write(store, "index.json", &serde_json::to_vec(&index)?)?;
        sync_dir(&store.dir)
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

/// Writes a file of the store so that a reader finds the old one or the new one.
fn write(store: &Store, name: &str, bytes: &[u8]) -> Result<()> {
    let (path, new) = (store.dir.join(name), store.dir.join(format!("{name}.new")));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written.with_context(|| format!("write {}", path.display()))
}
