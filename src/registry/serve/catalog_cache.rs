//! What there is, looked up anew when the store has changed.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use images::{Digest, Hasher, Store};
use tokio::task::spawn_blocking;

use super::catalog::Catalog;
use super::shared::Shared;
use crate::image::archive::Section;

/// The store as it is shared.
pub struct CatalogCache {
    store: Store,
    shared: Arc<Shared>,
    index: PathBuf,
    known: Mutex<Option<(Version, Arc<Catalog>)>>,
    /// Blobs that were found to be what their names say. They do not change.
    checked: Mutex<HashSet<Digest>>,
}

/// What changes when somebody writes the index, which is replaced by a new file, and when something more is shared.
type Version = (Option<(u64, u64, i64, i64)>, usize);

impl CatalogCache {
    /// The store in `dir`.
    pub fn new(store: &Store, dir: &Path, shared: &Arc<Shared>) -> CatalogCache {
        let (index, shared) = (dir.join("index.json"), shared.clone());
        CatalogCache { store: store.clone(), shared, index, known: Mutex::default(), checked: Mutex::default() }
    }

    /// What there is at this moment.
    pub async fn catalog(&self) -> Result<Arc<Catalog>> {
        let version = (version(&self.index), self.shared.version());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, catalog)) = known.filter(|(known, _)| *known == version) {
            return Ok(catalog);
        }
        let shared = self.shared.clone();
        let catalog = Arc::new(spawn_blocking(move || shared.catalog()).await??);
        // If it has changed in between, the version is an old one, and the next request looks again.
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, catalog.clone()));
        Ok(catalog)
    }

    /// Opens a blob, and checks that it is what its name says, once.
    pub async fn blob(&self, digest: Digest) -> Result<Option<(Arc<File>, u64)>> {
        let Some((file, size)) = self.store.open_blob(&digest)? else { return Ok(None) };
        let file = Arc::new(file);
        if !self.checked.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest) {
            let copy = file.clone();
            let found =
                spawn_blocking(move || digest_of(&copy, size)).await?.with_context(|| format!("read {digest}"))?;
            ensure!(found == digest, "blob {digest} is damaged: its contents are {found}");
            self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        }
        Ok(Some((file, size)))
    }
}

fn version(index: &Path) -> Option<(u64, u64, i64, i64)> {
    let about = std::fs::metadata(index).ok()?;
    Some((about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
}

/// Leaves the file where it is: others read it, too.
fn digest_of(file: &File, size: u64) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    io::copy(&mut Section::new(file, 0, size), &mut hasher)?;
    Ok(hasher.finish())
}
