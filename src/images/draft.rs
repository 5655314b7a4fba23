//! An image that is being made.
//!
//! A draft is a directory `tmp-…` that its maker holds locked (flock(2)). A maker that is killed leaves it
//! behind, but not the lock: whoever begins the next draft finds it unlocked and removes it. The lock on the
//! store keeps a draft from being swept in the moment between its mkdir and its lock.

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, renameat};
use nix::unistd::syncfs;

use super::{Config, Image, Name, Store, failed, failed_io, remove_tree};

/// Removes itself unless it is committed.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    store: &'a Store,
    dir: PathBuf,
    /// Open and locked as long as the draft lives.
    handle: File,
    /// Whether it got its place, and what is at `dir` now is no longer its own.
    placed: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn begin(store: &'a Store) -> Result<Draft<'a>> {
        make_private_dir(&store.names())?;
        let _lock = lock(store)?;
        sweep(store).context("clean up after an image that was never finished")?;
        let dir = unused(store)?;
        make_private_dir(&dir.join("rootfs"))?;
        let handle = File::open(&dir).map_err(failed_io("open", &dir))?;
        handle.lock().map_err(failed_io("flock", &dir))?;
        Ok(Draft { store, dir, handle, placed: false })
    }

    /// Where to put the tree. Its mode is 0700 for now; the maker sets the final one.
    pub(super) fn rootfs(&self) -> PathBuf {
        self.dir.join("rootfs")
    }

    /// Makes the draft the image `id`, and lets `name` mean it. If the image is there already, it stays.
    pub(super) fn commit(mut self, id: &str, config: &Config, name: Option<&Name>) -> Result<Image> {
        let record = self.dir.join("image.json");
        let mut file = File::create_new(&record).map_err(failed_io("open", &record))?;
        file.write_all(&serde_json::to_vec(config)?).map_err(failed_io("write", &record))?;
        // One call for all the files of the tree: everything must be on disk before anything is visible.
        syncfs(&self.handle).map_err(failed("syncfs", &self.dir))?;

        let _lock = lock(self.store)?;
        let place = self.store.dir.join(id);
        match renameat(AT_FDCWD, &self.dir, AT_FDCWD, &place) {
            Ok(()) => self.placed = true,
            Err(Errno::ENOTEMPTY | Errno::EEXIST) => {}
            Err(errno) => return Err(failed("rename", &self.dir)(errno).into()),
        }
        sync_dir(&self.store.dir)?;
        if let Some(name) = name {
            point(self.store, name, id)?;
        }
        let damaged = || format!("{} is there, but is not a whole image: remove it", place.display());
        self.store.image(id)?.with_context(damaged)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.placed {
            // The error that led here matters more than one in cleaning up, and the next draft sweeps again.
            let _ = remove_tree(&self.dir);
        }
    }
}

/// The first `tmp-…` that is not taken. The store is locked. Process ids alone are not enough: the same ones
/// occur again in every PID namespace.
fn unused(store: &Store) -> Result<PathBuf> {
    let candidates = (0..u32::MAX).map(|n| store.dir.join(format!("tmp-{}-{n}", std::process::id())));
    let free = candidates.into_iter().find(|dir| fs::symlink_metadata(dir).is_err());
    free.context("no name is left for a new image")
}

/// Lets `name` mean the image `id`. The store is locked, so the temporary name is nobody else's.
fn point(store: &Store, name: &Name, id: &str) -> Result<()> {
    let (new, link) = (store.names().join(".new"), store.link(name));
    match fs::remove_file(&new) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed_io("unlink", &new)(e).into()),
        _ => {}
    }
    symlink(Path::new("..").join(id), &new).map_err(failed_io("symlink", &new))?;
    fs::rename(&new, &link).map_err(failed_io("rename", &link))?;
    sync_dir(&store.names())
}

/// Removes the drafts whose makers are dead. The store is locked.
fn sweep(store: &Store) -> Result<()> {
    for entry in fs::read_dir(&store.dir).map_err(failed_io("open", &store.dir))? {
        let entry = entry.map_err(failed_io("getdents64", &store.dir))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b"tmp-") {
            continue;
        }
        let path = entry.path();
        let abandoned = File::open(&path).is_ok_and(|dir| dir.try_lock().is_ok());
        if abandoned {
            remove_tree(&path)?;
        }
    }
    Ok(())
}

/// Locks the store, until the result is dropped.
pub(super) fn lock(store: &Store) -> Result<File> {
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

fn sync_dir(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(failed_io("fsync", path))?;
    Ok(())
}
