//! Blobs: bytes, called by their digest.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use look::Error;

use super::files::replace_file;
use super::{Store, lock};
use crate::oci::Descriptor;
use crate::{Digest, failed_io};

/// The most that is read of a manifest or a config.
pub const DOCUMENT_MAX: u64 = 4 << 20;

impl Store {
    /// Reads a manifest or a config, and checks that it is what its name says.
    pub fn read_blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        let Some((file, size)) = self.open_blob(digest)? else { bail!("{digest} is not in the store") };
        ensure!(size <= DOCUMENT_MAX, "{digest} has {size} bytes: {DOCUMENT_MAX} is the most that a document may have");
        let mut bytes = Vec::with_capacity(size as usize);
        let path = self.blob(digest);
        file.take(DOCUMENT_MAX).read_to_end(&mut bytes).map_err(failed_io("read", &path))?;
        if Digest::of(&bytes) != *digest {
            let problem = "its contents are not what its name says".into();
            return Err(Error::Content { object: path.display().to_string(), problem }.into());
        }
        Ok(bytes)
    }

    /// Opens a blob of any size, and says how long it is. Whoever reads it checks that it is what its name says.
    pub fn open_blob(&self, digest: &Digest) -> Result<Option<(File, u64)>> {
        let path = self.blob(digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed_io("open", &path)(error).into()),
        };
        let size = file.metadata().map_err(failed_io("stat", &path))?.len();
        Ok(Some((file, size)))
    }

    /// Writes a small blob, unless it is there whole. Its name is on disk once its directory was synced.
    pub(super) fn put_blob(&self, bytes: &[u8]) -> Result<Digest> {
        ensure!(bytes.len() as u64 <= DOCUMENT_MAX, "a document of {} bytes is too long", bytes.len());
        let digest = Digest::of(bytes);
        let _lock = lock::index(self)?;
        if !self.read_blob(&digest).is_ok_and(|there| there == bytes) {
            replace_file(&self.blob(&digest), &self.dir.join("blobs/new"), bytes)?;
        }
        Ok(digest)
    }

    /// Whether the blob of `descriptor` is there, as long as it should be.
    pub(super) fn has_blob(&self, descriptor: &Descriptor) -> bool {
        let there = fs::symlink_metadata(self.blob(&descriptor.digest));
        there.is_ok_and(|file| file.is_file() && file.len() == descriptor.size)
    }

    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.dir.join("blobs/sha256").join(digest.hex())
    }
}
