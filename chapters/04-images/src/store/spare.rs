//! Room for one more index, kept for when the disk is full.
//!
//! To remove an image is to write an index without it, which takes a block and an inode: on a full disk nothing could
//! be removed, and so no room be made. So the store keeps a file of which the blocks are taken already. Where there is
//! no room for a new index, that file becomes it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use libc::O_NOFOLLOW;
use look::Result;
use nix::fcntl::{FallocateFlags, fallocate};

use super::Store;
use super::index::INDEX;
use crate::failed_io;

pub(super) const SPARE: &str = "spare";

/// An index grows by less between two times that it is written.
const MORE: u64 = 64 << 10;

/// What stat(2) counts blocks in, whatever those of the file system are.
const BLOCK: u64 = 512;

/// Sees to it that there is room for an index as long as the one that is there, and somewhat longer. Where there is
/// none, whoever writes the next index tries again. The index is locked: else the file could become the index meanwhile.
pub(super) fn keep(store: &Store) {
    let about = |name: &str| fs::symlink_metadata(store.dir.join(name)).ok().filter(Metadata::is_file);
    let Some(wanted) = about(INDEX).map(|index| index.len()) else { return };
    if about(SPARE).is_some_and(|spare| spare.blocks() * BLOCK >= wanted) {
        return;
    }
    if let Ok(file) = open(store) {
        reserve(&file, wanted + MORE);
    }
}

pub(super) fn open(store: &Store) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).custom_flags(O_NOFOLLOW).open(store.dir.join(SPARE))
}

/// Takes this much room for `file`, of which the contents stay as they are.
pub(super) fn reserve(file: &File, bytes: u64) {
    let _ = fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, bytes as i64);
}

/// Makes the spare file the store's index, with these contents.
///
/// The index is locked. Errors: there is none, or they do not fit into it.
pub(super) fn become_index(store: &Store, contents: &[u8]) -> Result<()> {
    let (path, index) = (store.dir.join(SPARE), store.dir.join(INDEX));
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).custom_flags(O_NOFOLLOW).open(&path)?;
        file.write_all(contents)?;
        file.set_len(contents.len() as u64)?;
        file.sync_all()?;
        fs::rename(&path, &index)
    };
    write().map_err(failed_io("write", &path))
}
