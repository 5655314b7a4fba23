//! Who may do what at the same time.
//!
//! Both locks are flock(2) on a file, so that a process that is killed lets go of them.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::Result;

use super::Store;
use crate::failed_io;

/// As long as it lives, nothing in the store is cleared away; or, if it is exclusive, nothing is added.
#[derive(Debug)]
pub struct SharedLock {
    _file: File,
}

impl SharedLock {
    pub(super) fn shared(store: &Store) -> Result<SharedLock> {
        let file = open(store)?;
        file.lock_shared().map_err(failed_io("flock", &store.dir))?;
        Ok(SharedLock { _file: file })
    }

    /// `None` if somebody adds something just now.
    pub(super) fn exclusive(store: &Store) -> Result<Option<SharedLock>> {
        let file = open(store)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(SharedLock { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(failed_io("flock", &store.dir)(error).into()),
        }
    }
}

fn open(store: &Store) -> Result<File> {
    make_private_dir(&store.dir)?;
    let path = store.dir.join("writers");
    Ok(File::options().create(true).append(true).open(&path).map_err(failed_io("open", &path))?)
}

/// Locks the index, until the result is dropped.
pub(super) fn index(store: &Store) -> Result<File> {
    lock_file(&store.dir.join("lock"))
}

/// Locks the file at `path`, which is made if need be, until the result is dropped.
pub(super) fn lock_file(path: &Path) -> Result<File> {
    let file = File::options().create(true).append(true).open(path).map_err(failed_io("open", path))?;
    file.lock().map_err(failed_io("flock", path))?;
    Ok(file)
}

/// Nobody else may walk into the store: images hold setuid programs, and some of them are old.
pub(super) fn make_private_dir(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed_io("mkdir", path))?;
    Ok(())
}
