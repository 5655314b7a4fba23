//! Blobs that come, and blobs that have come and wait for the manifest that names them.
//!
//! They are files without a name. When this process ends, however that is, they are gone, and the disk space is free.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use images::store::Scratch;
use images::{Digest, Hasher};

use crate::image::archive::Spool;

/// No more at a time: each holds a file open.
const MOST: usize = 512;
/// Whoever has not sent anything for so long will not come back.
const FORGOTTEN: Duration = Duration::from_secs(30 * 60);

/// All of them.
pub struct Uploads {
    dir: PathBuf,
    state: Mutex<State>,
    _scratch: Scratch,
}

#[derive(Default)]
struct State {
    open: HashMap<String, Upload>,
    complete: HashMap<Digest, Complete>,
}

/// A blob of which a part has come.
pub struct Upload {
    /// In which repository.
    repository: String,
    spool: Spool,
    hasher: Hasher,
    size: u64,
    touched: Instant,
}

/// An upload that somebody is just sending more of. It goes back when this is dropped: whoever was cut off can go on.
pub struct Taken<'a> {
    uploads: &'a Uploads,
    id: String,
    upload: Option<Upload>,
}

struct Complete {
    file: Arc<File>,
    size: u64,
    touched: Instant,
}

impl Uploads {
    /// None yet; their files are made in `scratch`.
    pub fn in_dir(scratch: Scratch) -> Uploads {
        Uploads { dir: scratch.path(), state: Mutex::default(), _scratch: scratch }
    }

    /// Begins one, and answers with what it is called: something that nobody else can guess. `None` if there are too many.
    pub fn begin(&self, repository: &str) -> Result<Option<String>> {
        let mut random = [0; 16];
        File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut random)).context("read /dev/urandom")?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let spool = Spool::in_dir(&self.dir)?;
        let touched = Instant::now();
        let upload = Upload { repository: repository.to_owned(), spool, hasher: Hasher::new(), size: 0, touched };
        let mut state = self.state();
        state.forget();
        if state.open.len() + state.complete.len() >= MOST {
            return Ok(None);
        }
        state.open.insert(id.clone(), upload);
        Ok(Some(id))
    }

    /// Takes one out, for whoever sends more of it. Meanwhile it is nobody else's.
    pub fn take(&self, repository: &str, id: &str) -> Option<Taken<'_>> {
        let mut state = self.state();
        let fits = state.open.get(id).is_some_and(|upload| upload.repository == repository);
        let upload = fits.then(|| state.open.remove(id)).flatten()?;
        Some(Taken { uploads: self, id: id.to_owned(), upload: Some(upload) })
    }

    /// Keeps one that is complete until a manifest names it.
    pub fn complete(&self, upload: Upload) -> Digest {
        let (digest, size, touched) = (upload.hasher.finish(), upload.size, Instant::now());
        let file = Arc::new(upload.spool.into_file());
        self.state().complete.insert(digest, Complete { file, size, touched });
        digest
    }

    /// Keeps a blob of another repository like one that has come.
    pub fn lend(&self, digest: Digest, file: Arc<File>, size: u64) {
        self.state().complete.insert(digest, Complete { file, size, touched: Instant::now() });
    }

    /// One that is complete.
    pub fn blob(&self, digest: &Digest) -> Option<(Arc<File>, u64)> {
        let mut state = self.state();
        let complete = state.complete.get_mut(digest)?;
        complete.touched = Instant::now();
        Some((complete.file.clone(), complete.size))
    }

    /// Lets go of blobs that are part of an image now.
    pub fn used<'a>(&self, digests: impl Iterator<Item = &'a Digest>) {
        let mut state = self.state();
        digests.for_each(|digest| drop(state.complete.remove(digest)));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken<'_> {
    /// How much has come.
    pub fn size(&self) -> u64 {
        self.upload.as_ref().map_or(0, |upload| upload.size)
    }

    /// The upload itself, which does not go back unless it is given back.
    pub fn take_out(&mut self) -> Option<Upload> {
        self.upload.take()
    }

    /// Gives it back.
    pub fn give_back(&mut self, upload: Upload) {
        self.upload = Some(upload);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(mut upload) = self.upload.take() {
            upload.touched = Instant::now();
            self.uploads.state().open.insert(std::mem::take(&mut self.id), upload);
        }
    }
}

impl State {
    fn forget(&mut self) {
        self.open.retain(|_, upload| upload.touched.elapsed() < FORGOTTEN);
        self.complete.retain(|_, complete| complete.touched.elapsed() < FORGOTTEN);
    }
}

impl Upload {
    /// The digest of what has come.
    pub fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Adds what came.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.spool.write_all(bytes)?;
        self.hasher.write_all(bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }
}
