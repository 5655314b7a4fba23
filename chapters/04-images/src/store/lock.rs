//! Who may do what at the same time.
//!
//! Both locks are flock(2) on a file, so that a process that is killed lets go of them.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::Result;
use nix::errno::Errno;

use super::Store;
use crate::failed_io;

/// As long as it lives, nothing in the store is cleared away. Many can have it.
#[derive(Debug)]
pub struct SharedLock {
    /// None where nothing can be cleared away.
    _file: Option<File>,
}

/// As long as it lives, nobody adds anything to the store, and nobody begins to use what is there.
#[derive(Debug)]
pub struct ExclusiveLock {
    _file: File,
}

impl SharedLock {
    pub(super) fn take(store: &Store) -> Result<SharedLock> {
        let file = match open(store) {
            Ok(file) => file,
            Err(error) => match open_to_read(store, &error) {
                Some(file) => file,
                // Nobody can change anything on a file system that is read-only.
                None if error.errno() == Some(Errno::EROFS) => return Ok(SharedLock { _file: None }),
                None => return Err(error.into()),
            },
        };
        file.lock_shared().map_err(failed_io("flock", &store.dir))?;
        Ok(SharedLock { _file: Some(file) })
    }
}

impl ExclusiveLock {
    /// `None` if somebody has the shared lock.
    pub(super) fn try_take(store: &Store) -> Result<Option<ExclusiveLock>> {
        let file = open(store)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(ExclusiveLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed_io("flock", &store.dir)(error).into()),
        }
    }
}

/// The name of the file that both lock.
const WRITERS: &str = "writers";

fn open(store: &Store) -> look::Result<File> {
    make_private_dir(&store.dir)?;
    open_or_make(&store.dir.join(WRITERS))
}

/// The file of a store that may be read, but not written to, which is why it could not be opened.
fn open_to_read(store: &Store, error: &look::Error) -> Option<File> {
    let may_not_write = matches!(error.errno(), Some(Errno::EROFS | Errno::EACCES));
    may_not_write.then(|| File::open(store.dir.join(WRITERS)).ok()).flatten()
}

/// Locks the index, until the result is dropped.
pub(super) fn index(store: &Store) -> Result<File> {
    lock_file(&store.dir.join("lock"))
}

/// Locks the file at `path`, which is made if need be, until the result is dropped.
pub(super) fn lock_file(path: &Path) -> Result<File> {
    let file = open_or_make(path)?;
    file.lock().map_err(failed_io("flock", path))?;
    Ok(file)
}

fn open_or_make(path: &Path) -> look::Result<File> {
    File::options().create(true).append(true).open(path).map_err(failed_io("open", path))
}

/// Nobody else may walk into the store: images hold setuid programs, and some of them are old.
pub(super) fn make_private_dir(path: &Path) -> look::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed_io("mkdir", path))
}
