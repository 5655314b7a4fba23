//! Files with several names: the first becomes a file, the others links to it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use nix::libc::dev_t;
use nix::sys::stat::FileStat;

/// The most memory that their names may take.
const LINKS_MAX: usize = 128 << 20;

/// Files with several names, by device and inode.
#[derive(Debug, Default)]
pub(super) struct Links {
    names: HashMap<(dev_t, u64), PathBuf>,
    size: usize,
    /// The file that was remembered, if it was the last one.
    last: Option<(dev_t, u64)>,
}

impl Links {
    /// Goes on to another file.
    pub(super) fn begin(&mut self) {
        self.last = None;
    }

    /// The first name of a file, unless that is `path`.
    pub(super) fn first_name(&mut self, stat: &FileStat, path: &Path) -> Result<Option<PathBuf>> {
        let file = (stat.st_dev, stat.st_ino);
        if let Some(first) = self.names.get(&file) {
            return Ok(Some(first.clone()));
        }
        self.size += path.as_os_str().len() + size_of::<((dev_t, u64), PathBuf)>();
        ensure!(self.size <= LINKS_MAX, "there are too many files with several names to keep in mind");
        self.names.insert(file, path.to_owned());
        self.last = Some(file);
        Ok(None)
    }

    /// Forgets the last file, should it have been remembered.
    pub(super) fn forget_last(&mut self) {
        self.last.take().and_then(|file| self.names.remove(&file));
    }
}
