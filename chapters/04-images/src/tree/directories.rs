//! What the directories of a layer have: given to them when all is in them.
//!
//! A directory that may not be written to could not be filled, and filling one changes its time. So modes and times wait
//! until the end.

use std::cmp::Reverse;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use nix::errno::Errno;
use nix::sys::stat::fstat;

use super::attributes::{Attributes, Skipped};
use super::failed;
use super::places::Places;

/// The most memory that what is remembered of the directories may take.
const MEMORY_MAX: usize = 128 << 20;

/// The directories that members described.
#[derive(Default)]
pub(super) struct Directories {
    waiting: Vec<Directory>,
    /// How many bytes that takes.
    memory: usize,
}

struct Directory {
    path: PathBuf,
    inode: u64,
    attributes: Attributes,
}

impl Directories {
    /// Gives the directory `path` its owner now, and remembers the rest.
    pub(super) fn describe(
        &mut self,
        path: &Path,
        dir: BorrowedFd<'_>,
        attributes: &Attributes,
        skipped: &mut Skipped,
    ) -> Result<()> {
        attributes.apply_owner(dir, skipped).map_err(|error| error.at(path))?;
        self.memory += path.as_os_str().len() + size_of::<Directory>();
        ensure!(self.memory <= MEMORY_MAX, "the archive has too many directories to keep in mind");
        let attributes = Attributes { xattrs: Vec::new(), ..attributes.clone() };
        let inode = fstat(dir).map_err(failed("fstat", path))?.st_ino;
        self.waiting.push(Directory { path: path.to_owned(), inode, attributes });
        Ok(())
    }

    /// Gives them their modes and times, what is deeper first: one that may not be entered may hold others.
    pub(super) fn finish(mut self, places: &Places) -> Result<()> {
        // A path is longer than those that lead to it. Of two descriptions of one directory the later stays the later.
        self.waiting.sort_by(|a, b| Reverse(a.path.as_os_str()).cmp(&Reverse(b.path.as_os_str())));
        for Directory { path, inode, attributes } in &self.waiting {
            match places.open(path) {
                // A later member put something else there.
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {}
                Err(errno) => return Err(failed("openat2", path)(errno)),
                Ok(dir) if fstat(&dir).is_ok_and(|stat| stat.st_ino != *inode) => {}
                Ok(dir) => attributes.apply_mode(dir.as_fd()).map_err(failed("change", path))?,
            }
        }
        Ok(())
    }
}
