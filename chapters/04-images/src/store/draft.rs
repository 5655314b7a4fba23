//! A layer that is being unpacked, or removed.
//!
//! A draft is a directory in `tmp/` that its maker holds locked (flock(2)). A maker that is killed leaves it behind,
//! but not the lock: whoever begins the next one finds it unlocked and removes it. The lock on the store keeps a draft
//! from being swept in the moment between its mkdir and its lock. A layer that is removed ends as a draft: it leaves its
//! place at once, and what it holds is removed when nobody waits for the store any more.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Store;
use super::lock::{self, make_private_dir};
use crate::{failed_io, remove_tree};

/// Removes itself with all that is still in it.
#[derive(Debug)]
pub(super) struct Draft {
    dir: PathBuf,
    /// Open and locked as long as the draft lives.
    handle: File,
}

impl Draft {
    pub(super) fn begin(store: &Store) -> Result<Draft> {
        let _lock = lock::index(store)?;
        let dir = free_name(store)?;
        make_private_dir(&dir.join("layer/tree"))?;
        let handle = File::open(&dir).map_err(failed_io("open", &dir))?;
        handle.lock().map_err(failed_io("flock", &dir))?;
        Ok(Draft { dir, handle })
    }

    /// Takes the layer in the directory `layer` out of its place at once, as a draft that is only there to be removed.
    /// That takes no room, neither a block nor an inode.
    pub(super) fn take_away(store: &Store, layer: &Path) -> Result<Draft> {
        let _lock = lock::index(store)?;
        let dir = free_name(store)?;
        let handle = File::open(layer).map_err(failed_io("open", layer))?;
        handle.lock().map_err(failed_io("flock", layer))?;
        fs::rename(layer, &dir).map_err(failed_io("rename", layer))?;
        Ok(Draft { dir, handle })
    }

    /// Removes it, and says whether that went well. The store need not be locked: it may take long.
    pub(super) fn remove(self) -> Result<()> {
        Ok(remove_tree(&self.dir)?)
    }

    /// Something on the disk that it is on.
    pub(super) fn disk(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// What is renamed when it is complete.
    pub(super) fn layer(&self) -> PathBuf {
        self.dir.join("layer")
    }

    /// Where the tree goes.
    pub(super) fn tree(&self) -> PathBuf {
        self.dir.join("layer/tree")
    }

    /// Where the blob goes.
    pub(super) fn blob(&self) -> PathBuf {
        self.dir.join("blob")
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The error that led here matters more than one in cleaning up, and the next writer sweeps again.
        let _ = remove_tree(&self.dir);
    }
}

/// The drafts whose makers are dead, which go when they are dropped.
pub(super) fn abandoned(store: &Store) -> Result<Vec<Draft>> {
    let _lock = lock::index(store)?;
    let drafts = store.drafts();
    let mut abandoned = Vec::new();
    if !drafts.exists() {
        return Ok(abandoned);
    }
    for entry in fs::read_dir(&drafts).map_err(failed_io("open", &drafts))? {
        let dir = entry.map_err(failed_io("getdents64", &drafts))?.path();
        let free = File::open(&dir).ok().filter(|handle| handle.try_lock().is_ok());
        abandoned.extend(free.map(|handle| Draft { dir, handle }));
    }
    Ok(abandoned)
}

/// A name that no draft has: one more than the highest. The store is locked.
fn free_name(store: &Store) -> Result<PathBuf> {
    let drafts = store.drafts();
    let names = match fs::read_dir(&drafts) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let names = names.map_err(failed_io("getdents64", &drafts))?;
    let numbers = names.iter().filter_map(|name| name.to_str()?.parse::<u32>().ok());
    let next = numbers.max().map_or(Some(0), |highest| highest.checked_add(1));
    Ok(drafts.join(next.context("no name is left for a new layer")?.to_string()))
}
