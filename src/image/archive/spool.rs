//! What comes and cannot be used before all of it is there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use nix::sys::statvfs::fstatvfs;

/// What is left free for others: somebody who sends without end shall not fill the disk.
const RESERVE: u64 = 256 << 20;
/// How often that is looked at.
const STEP: u64 = 16 << 20;

/// How much all spools of this process together may still write before the next look. They are on one disk.
static UNCHECKED: Mutex<u64> = Mutex::new(0);

/// A file without a name. However this process ends, the space is free again.
#[derive(Debug)]
pub struct Spool {
    file: File,
}

impl Spool {
    /// An empty one in `dir`, where nobody else makes files.
    pub fn in_dir(dir: &Path) -> Result<Spool> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let path = dir.join(format!("spool-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let make = || -> io::Result<File> {
            let file = File::options().read(true).write(true).create_new(true).open(&path)?;
            fs::remove_file(&path)?;
            Ok(file)
        };
        Ok(Spool { file: make().with_context(|| format!("make {}", path.display()))? })
    }

    /// What was written, to be read.
    pub fn into_file(self) -> File {
        self.file
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = {
            let mut unchecked = UNCHECKED.lock().unwrap_or_else(PoisonError::into_inner);
            take(&mut unchecked, bytes.len(), || free(&self.file))?
        };
        self.file.write(&bytes[..most])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// How many bytes an ordinary user may still write to the disk of `file`.
fn free(file: &File) -> io::Result<u64> {
    let room = fstatvfs(file.as_fd())?;
    Ok(room.blocks_available() as u64 * room.fragment_size())
}

/// Takes as much of `wanted` as there is of `unchecked`. If there is nothing left, looks how much is free first.
fn take(unchecked: &mut u64, wanted: usize, free: impl FnOnce() -> io::Result<u64>) -> io::Result<usize> {
    if *unchecked == 0 {
        let free = free()?;
        if free < RESERVE + STEP {
            let problem = format!(
                "the disk is nearly full: {} MiB are free, and the last {} MiB are left alone",
                free >> 20,
                RESERVE >> 20
            );
            return Err(io::Error::new(io::ErrorKind::StorageFull, problem));
        }
        *unchecked = STEP;
    }
    let most = wanted.min(*unchecked as usize);
    *unchecked -= most as u64;
    Ok(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spools_share_what_was_seen_to_be_free() {
        let mut unchecked = 0;
        let twice = 2 * STEP as usize;
        assert_eq!(take(&mut unchecked, 5, || Ok(RESERVE + STEP)).unwrap(), 5);
        let unasked = || panic!("there is something left");
        assert_eq!(take(&mut unchecked, twice, unasked).unwrap(), STEP as usize - 5);
        let error = take(&mut unchecked, 1, || Ok(RESERVE + STEP - 1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
