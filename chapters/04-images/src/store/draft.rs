//! A layer that is being unpacked, or removed.
//!
//! A draft is a directory in `tmp/` that its maker holds locked (flock(2)). A maker that is killed leaves it behind,
//! but not the lock: whoever begins the next one finds it unlocked and removes it. The lock on the store keeps a draft
//! from being swept in the moment between its mkdir and its lock. A layer that is removed ends as a draft: it leaves its
//! place at once, and what it holds is removed when nobody waits for the store any more.

use std::fs::{self, DirBuilder, File};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Store;
use super::lock::{self, make_private_dir};
use crate::{failed_io, remove_tree};

/// Removes itself with all that is still in it.
#[derive(Debug)]
pub(super) struct Draft {
    dir: PathBuf,
    /// Open and locked as long as the draft lives.
    handle: File,
    /// Whether it was removed, or that was tried.
    removed: bool,
}

impl Draft {
    pub(super) fn begin(store: &Store) -> Result<Draft> {
        let _lock = lock::index(store)?;
        let dir = new_name(store)?;
        DirBuilder::new().mode(0o700).create(&dir).map_err(failed_io("mkdir", &dir))?;
        let handle = File::open(&dir).map_err(failed_io("open", &dir))?;
        handle.lock().map_err(failed_io("flock", &dir))?;
        let draft = Draft { dir, handle, removed: false };
        make_private_dir(&draft.tree())?;
        Ok(draft)
    }

    /// Takes the layer in the directory `layer` out of its place at once, as a draft that is only there to be removed.
    /// That takes no room, neither a block nor an inode. The index is locked.
    pub(super) fn take_away(store: &Store, layer: &Path) -> Result<Draft> {
        let dir = new_name(store)?;
        let handle = File::open(layer).map_err(failed_io("open", layer))?;
        handle.lock().map_err(failed_io("flock", layer))?;
        fs::rename(layer, &dir).map_err(failed_io("rename", layer))?;
        Ok(Draft { dir, handle, removed: false })
    }

    /// The draft in `dir`, of which `handle` is open, if its maker is dead. The index is locked.
    pub(super) fn if_abandoned(dir: PathBuf, handle: File) -> Option<Draft> {
        handle.try_lock().ok()?;
        // Its maker may have removed it since it was opened.
        let (there, open) = (fs::symlink_metadata(&dir).ok()?, handle.metadata().ok()?);
        let is_same = (there.dev(), there.ino()) == (open.dev(), open.ino());
        is_same.then(|| Draft { dir, handle, removed: false })
    }

    /// Removes it, and says whether that went well. The store need not be locked: it may take long.
    pub(super) fn remove(mut self) -> Result<()> {
        self.removed = true;
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
        if !self.removed {
            // The error that led here matters more than one in cleaning up, and the next writer sweeps again.
            let _ = remove_tree(&self.dir);
        }
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
        abandoned.extend(File::open(&dir).ok().and_then(|handle| Draft::if_abandoned(dir, handle)));
    }
    Ok(abandoned)
}

/// A name that no draft has, had or will have, so that whoever removes one by its name removes no other. It is as long
/// as the name of any other, and so takes no more room in its directory than one that was removed.
fn new_name(store: &Store) -> Result<PathBuf> {
    let mut random = [0; 8];
    let source = Path::new("/dev/urandom");
    File::open(source).and_then(|mut file| file.read_exact(&mut random)).map_err(failed_io("read", source))?;
    Ok(store.drafts().join(format!("{:016x}", u64::from_ne_bytes(random))))
}
