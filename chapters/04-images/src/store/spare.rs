//! Room for one more index, kept for when the disk is full.
//!
//! To remove an image is to write an index without it, which takes a block and an inode: on a full disk nothing could
//! be removed, and so no room be made. So the store keeps a file of which the blocks are taken already. Where there is
//! no room for a new index, that file becomes it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use libc::O_NOFOLLOW;
use look::Result;
use nix::fcntl::{FallocateFlags, fallocate};

use super::Store;
use super::index::INDEX;
use crate::failed_io;

const SPARE: &str = "spare";

/// An index grows by less between two times that it is written.
const MORE: u64 = 64 << 10;

/// Sees to it that there is room for an index as long as the one that is there, and somewhat longer. Where there is
/// none, whoever writes the next index tries again.
pub(super) fn keep(store: &Store) {
    let path = store.dir.join(SPARE);
    let length = |path: &Path| fs::symlink_metadata(path).ok().filter(|file| file.is_file()).map(|file| file.len());
    let Some(wanted) = length(&store.dir.join(INDEX)) else { return };
    if length(&path).is_some_and(|spare| spare >= wanted) {
        return;
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).custom_flags(O_NOFOLLOW).open(&path);
    let _ = file.map(|file| fallocate(file, FallocateFlags::empty(), 0, (wanted + MORE) as i64));
}

/// Makes the spare file the store's index, with these contents.
///
/// Errors: there is none, or they do not fit into it.
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
