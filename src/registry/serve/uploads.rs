//! Blobs that come, and blobs that have come and wait for the manifest that names them.
//!
//! They are files without a name. When this process ends, however that is, they are gone, and the disk space is free.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::path::PathBuf;
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
    _space: Option<Space>,
}

impl Uploads {
    /// None yet; their files are made in `scratch`. They may take half of what is free on its disk now.
    pub fn in_dir(scratch: Scratch) -> Result<Uploads> {
        let dir = scratch.path();
        let room = statvfs(&dir).with_context(|| format!("statvfs {}", dir.display()))?;
        let free = room.blocks_available() as u64 * room.fragment_size();
        Ok(Uploads { dir, quota: Quota::new(free / 2), state: Mutex::default(), _scratch: scratch })
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
        let complete = Complete { file, size, client, touched: Instant::now(), _space: Some(space) };
        self.state().complete.insert(hasher.finish(), complete);
    }

    /// Keeps a blob of another repository like one that has come. `false` if there are too many.
    pub fn lend(&self, digest: Digest, file: Arc<File>, size: u64, client: IpAddr) -> bool {
        let mut state = self.state();
        let room = state.complete.contains_key(&digest) || state.make_room(client);
        if room {
            let lent = || Complete { file, size, client, touched: Instant::now(), _space: None };
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

impl State {
    /// Sees to it that `client` may have one more: an upload of which nothing has come has to go, if need be. `false`
    /// if there is none.
    fn make_room(&mut self, client: IpAddr) -> bool {
        let clients = || {
            let open = self.open.values().map(|open| open.client);
            open.chain(self.complete.values().map(|complete| complete.client))
        };
        if clients().filter(|other| *other == client).count() >= MOST_OF_ONE {
            return self.evict(|open| open.client == client);
        }
        clients().count() < MOST || self.evict(|_| true)
    }

    /// Gives up the oldest upload of which nothing has come.
    fn evict(&mut self, is_meant: impl Fn(&Open) -> bool) -> bool {
        let is_empty = |open: &Open| open.upload.as_ref().is_some_and(|upload| upload.space.size() == 0);
        let empty = self.open.iter().filter(|(_, open)| is_empty(open) && is_meant(open));
        let oldest = empty.min_by_key(|(_, open)| open.touched).map(|(id, _)| id.clone());
        oldest.is_some_and(|id| self.open.remove(&id).is_some())
    }
}

impl Upload {
    /// The digest of what has come.
    pub fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Adds what came.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.space.grow(bytes.len() as u64)?;
        self.spool.write_all(bytes)?;
        self.hasher.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use images::Store;

    use super::*;

    const FIRST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn with_uploads(test: impl FnOnce(&Uploads)) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path());
        test(&Uploads::in_dir(store.write().unwrap().scratch().unwrap()).unwrap());
    }

    fn send(uploads: &Uploads, id: &str) {
        let mut taken = uploads.take("app", id).unwrap();
        let mut upload = taken.take_out().unwrap();
        upload.add(b"something").unwrap();
        taken.give_back(upload);
    }

    #[test]
    fn empty_uploads_make_room_for_others() {
        with_uploads(|uploads| {
            let first = uploads.begin("app", FIRST).unwrap().unwrap();
            for _ in 0..MOST {
                uploads.begin("app", FIRST).unwrap().unwrap();
            }
            assert_eq!(uploads.state().open.len(), MOST_OF_ONE);
            assert!(uploads.take("app", &first).is_none(), "the oldest one is gone");
        });
    }

    #[test]
    fn one_client_cannot_begin_all_uploads() {
        with_uploads(|uploads| {
            for _ in 0..MOST_OF_ONE {
                let id = uploads.begin("app", FIRST).unwrap().unwrap();
                send(uploads, &id);
            }
            assert!(uploads.begin("app", FIRST).unwrap().is_none());
            let other = uploads.begin("app", OTHER).unwrap().unwrap();
            // What somebody is sending counts, and is not given up.
            let taken = uploads.take("app", &other).unwrap();
            assert_eq!(uploads.state().open.len(), MOST_OF_ONE + 1);
            drop(taken);
            assert!(uploads.take("app", &other).is_some());
        });
    }
}
