//! A layer that is being unpacked.
//!
//! A draft is a directory in `tmp/` that its maker holds locked (flock(2)). A maker that is killed leaves it behind,
//! but not the lock: whoever begins the next one finds it unlocked and removes it. The lock on the store keeps a draft
//! from being swept in the moment between its mkdir and its lock.

use std::fs::{self, File};
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
        let candidates = (0..u32::MAX).map(|n| store.drafts().join(n.to_string()));
        let free = candidates.into_iter().find(|dir| fs::symlink_metadata(dir).is_err());
        let dir = free.context("no name is left for a new layer")?;
        make_private_dir(&dir.join("layer/tree"))?;
        let handle = File::open(&dir).map_err(failed_io("open", &dir))?;
        handle.lock().map_err(failed_io("flock", &dir))?;
        Ok(Draft { dir, handle })
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

/// Removes the drafts whose makers are dead.
pub(super) fn sweep(store: &Store) -> Result<()> {
    let _lock = lock::index(store)?;
    let drafts = store.drafts();
    if !drafts.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(&drafts).map_err(failed_io("open", &drafts))? {
        let path = entry.map_err(failed_io("getdents64", &drafts))?.path();
        if File::open(&path).is_ok_and(|dir| dir.try_lock().is_ok()) {
            remove_tree(&path)?;
        }
    }
    Ok(())
}

pub(super) fn sync_dir(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(failed_io("fsync", path))?;
    Ok(())
}
