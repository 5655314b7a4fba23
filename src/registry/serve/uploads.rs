//! Blobs that come, and blobs that have come and wait for the manifest that names them.
//!
//! They are files without a name. When this process ends, however that is, they are gone, and the disk space is free.

mod eviction;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use images::store::Scratch;
use images::{Digest, Hasher};
use nix::sys::statvfs::statvfs;

use super::quota::{PART, Quota, Space};
use crate::image::archive::Spool;

/// No more at a time: each holds a file open.
const MOST: usize = 512;
/// Nor more of one client.
const MOST_OF_ONE: usize = MOST / PART as usize;
/// Whoever has not sent anything for so long will not come back.
const FORGOTTEN: Duration = Duration::from_secs(30 * 60);

/// All of them.
pub struct Uploads {
    dir: PathBuf,
    quota: Arc<Quota>,
    state: Mutex<State>,
    _scratch: Scratch,
}

#[derive(Default)]
struct State {
    open: HashMap<String, Open>,
    complete: HashMap<Digest, Complete>,
}

/// One that was begun.
struct Open {
    repository: String,
    client: IpAddr,
    touched: Instant,
    /// `None` while somebody is sending more of it.
    upload: Option<Upload>,
}

/// A blob of which a part has come.
pub struct Upload {
    spool: Spool,
    hasher: Hasher,
    space: Space,
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
    client: IpAddr,
    touched: Instant,
    /// `None` for one of another repository, which takes none here.
    space: Option<Space>,
}

impl Uploads {
    /// None yet; their files are made in `scratch`. They may take half of what is free on its disk without them.
    pub fn in_dir(scratch: Scratch) -> Result<Uploads> {
        let dir = scratch.path();
        free(&dir).with_context(|| format!("statvfs {}", dir.display()))?;
        let disk = dir.clone();
        let quota = Quota::new(move |taken| (free(&disk).unwrap_or(0) + taken) / 2);
        Ok(Uploads { dir, quota, state: Mutex::default(), _scratch: scratch })
    }

    /// Begins one, and answers with what it is called: something that nobody else can guess. `None` if there are too many.
    pub fn begin(&self, repository: &str, client: IpAddr) -> Result<Option<String>> {
        let mut random = [0; 16];
        File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut random)).context("read /dev/urandom")?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let upload =
            Upload { spool: Spool::in_dir(&self.dir)?, hasher: Hasher::new(), space: self.quota.space(client) };
        let mut state = self.state();
        if !state.make_room(client) {
            return Ok(None);
        }
        let (repository, touched) = (repository.to_owned(), Instant::now());
        state.open.insert(id.clone(), Open { repository, client, touched, upload: Some(upload) });
        Ok(Some(id))
    }

    /// Takes one out, for whoever sends more of it. Meanwhile it is nobody else's.
    pub fn take(&self, repository: &str, id: &str) -> Option<Taken<'_>> {
        let mut state = self.state();
        let open = state.open.get_mut(id).filter(|open| open.repository == repository)?;
        let upload = open.upload.take()?;
        Some(Taken { uploads: self, id: id.to_owned(), upload: Some(upload) })
    }

    /// Keeps one that is complete until a manifest names it.
    pub fn complete(&self, upload: Upload, client: IpAddr) {
        let Upload { spool, hasher, space } = upload;
        let (file, size) = (Arc::new(spool.into_file()), space.size());
        let complete = Complete { file, size, client, touched: Instant::now(), space: Some(space) };
        self.state().complete.insert(hasher.finish(), complete);
    }

    /// Keeps a blob of another repository like one that has come. `false` if there are too many.
    pub fn lend(&self, digest: Digest, file: Arc<File>, size: u64, client: IpAddr) -> bool {
        let mut state = self.state();
        let room = state.complete.contains_key(&digest) || state.make_room(client);
        if room {
            let lent = || Complete { file, size, client, touched: Instant::now(), space: None };
            state.complete.entry(digest).or_insert_with(lent);
        }
        room
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

    /// Lets go of those that nobody has touched for long.
    pub fn forget(&self) {
        let mut state = self.state();
        state.open.retain(|_, open| open.upload.is_none() || open.touched.elapsed() < FORGOTTEN);
        state.complete.retain(|_, complete| complete.touched.elapsed() < FORGOTTEN);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken<'_> {
    /// How much has come.
    pub fn size(&self) -> u64 {
        self.upload.as_ref().map_or(0, |upload| upload.space.size())
    }

    /// Sees to it that so many more bytes may be added: leftovers have to go, if need be. `false` if that is too much.
    pub fn reserve(&mut self, more: u64) -> bool {
        let Some(upload) = &mut self.upload else { return false };
        loop {
            let Err(limit) = upload.space.grow(more) else { return true };
            if !self.uploads.state().evict(upload.space.client(), &limit, 1) {
                return false;
            }
        }
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
        let mut state = self.uploads.state();
        match (state.open.get_mut(&self.id), self.upload.take()) {
            (Some(open), Some(upload)) => (open.upload, open.touched) = (Some(upload), Instant::now()),
            _ => drop(state.open.remove(&self.id)),
        }
    }
}

impl Upload {
    /// The digest of what has come.
    pub fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Adds what came, for which there has to be space already.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.spool.write_all(bytes)?;
        self.hasher.write_all(bytes)
    }
}

/// How many bytes are free on the disk of `dir`.
fn free(dir: &Path) -> nix::Result<u64> {
    statvfs(dir).map(|room| room.blocks_available() * room.fragment_size())
}
