//! The store: images on disk.
//!
//! ```text
//! images/                  an OCI image layout, so that other tools can read it
//! ├── oci-layout           says so
//! ├── index.json           the names: which manifest each stands for
//! ├── blobs/sha256/<hex>   manifests, configs, and layers as they came: each called by its digest
//! ├── layers/<chain id>/   layers unpacked, for overlayfs: shared by all images and containers
//! ├── tmp/<random>/        layers that are being unpacked, or removed
//! ├── spare                room for the next index, kept for when the disk is full
//! ├── lock                 held for the moment in which the index changes
//! └── writers              held by everybody who adds something, and alone by who clears away
//! ```
//!
//! An image is there when `index.json` names it, and that is written last, when all that it needs is there and on
//! disk. So an image is there whole or not at all, whatever is killed when. Nothing in `blobs/` or `layers/` changes
//! once it has its name. What nothing refers to any more is cleared away by [`Store::collect`], and only while nobody
//! adds.
//!
//! Source: <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>.

mod blobs;
mod collect;
mod damaged;
mod draft;
mod files;
mod gzip;
mod image;
mod index;
mod layers;
mod lock;
mod receive;
mod spare;
#[cfg(test)]
mod tests;
mod writer;

pub use blobs::DOCUMENT_MAX;
pub use collect::{Collected, CollectedKind, Collection};
pub use damaged::{DamagedImage, Listing};
pub use image::{Image, ImageLayer};
pub use lock::{ExclusiveLock, SharedLock};
pub use receive::{Expected, Received};
pub use writer::{Placed, Scratch, Writer};

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{Digest, Name};
use index::Names;

/// The images of one user, in one directory.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// The store in `dir`. Nothing is touched: the directory appears with the first image.
    pub fn open(dir: &Path) -> Store {
        Store { dir: dir.to_owned() }
    }

    /// The image called `name`, if there is one. Costs three small files: every start pays it.
    ///
    /// Errors: [`DamagedImage`], or that the index cannot be read.
    pub fn find(&self, name: &Name) -> Result<Option<Image>> {
        match Names::read(self)?.of(name) {
            Some(manifest) => Ok(Some(self.read_image(Some(name), manifest)?)),
            None => Ok(None),
        }
    }

    /// The image that `wanted` means: a name, an id, or the beginning of one id.
    ///
    /// Errors: [`LookUpError`]; [`DamagedImage`], which can be meant by the beginning of its manifest's digest, too.
    pub fn look_up(&self, wanted: &str) -> Result<Image> {
        if let Ok(name) = Name::parse(wanted)
            && let Some(image) = self.find(&name)?
        {
            return self.with_names(image);
        }
        let hex = wanted.strip_prefix("sha256:").unwrap_or(wanted);
        let is_id = !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let Listing { images, damaged } = if is_id { self.listing()? } else { Listing::default() };
        let fits = |digest: &Digest| digest.hex().starts_with(hex);
        let images = images.into_iter().filter(|image| fits(&image.id)).map(Ok);
        let damaged = damaged.into_iter().filter(|image| fits(&image.manifest) || image.id.as_ref().is_some_and(fits));
        let mut fitting = images.chain(damaged.map(Err));
        match (fitting.next(), fitting.next()) {
            (Some(found), None) => Ok(found?),
            (Some(_), Some(_)) => Err(LookUpError::Ambiguous(crate::shown(wanted.as_bytes())).into()),
            (None, _) => Err(LookUpError::NoSuch(crate::shown(wanted.as_bytes())).into()),
        }
    }

    /// All images that can be read, each once and with all its names, the newest first.
    pub fn list(&self) -> Result<Vec<Image>> {
        Ok(self.listing()?.images)
    }

    /// Keeps what is there from being cleared away, until the result is dropped.
    pub fn hold(&self) -> Result<SharedLock> {
        SharedLock::take(self)
    }

    /// Locks something of the store that is called `name`, until the result is dropped.
    pub fn lock(&self, name: &str) -> Result<File> {
        lock::make_private_dir(&self.dir)?;
        lock::lock_file(&self.dir.join(name))
    }

    /// Begins to add something, and sweeps up what others who were killed left behind.
    pub fn write(&self) -> Result<Writer<'_>> {
        Writer::begin(self)
    }

    /// `image` with all the names that its id has, whatever manifest they stand for.
    fn with_names(&self, image: Image) -> Result<Image> {
        let known = self.list()?.into_iter().find(|known| known.id == image.id);
        let (names, digests) = known.map(|known| (known.names, known.digests)).unwrap_or_default();
        Ok(Image { names, digests, ..image })
    }

    fn drafts(&self) -> PathBuf {
        self.dir.join("tmp")
    }
}

/// Why an image was not found.
#[derive(Debug, thiserror::Error)]
pub enum LookUpError {
    /// There is none.
    #[error("No such image: {0}")]
    NoSuch(String),
    /// There are several.
    #[error("{0} is the beginning of more than one image's id")]
    Ambiguous(String),
}
