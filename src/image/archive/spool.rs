//! What comes and cannot be used before all of it is there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use nix::sys::statvfs::fstatvfs;

/// What is left free for others: somebody who sends without end shall not fill the disk.
const RESERVE: u64 = 256 << 20;
/// How often that is looked at.
const STEP: u64 = 16 << 20;

/// A file without a name. However this process ends, the space is free again.
#[derive(Debug)]
pub struct Spool {
    file: File,
    /// How much may still be written before the next look.
    unchecked: u64,
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
        Ok(Spool { file: make().with_context(|| format!("make {}", path.display()))?, unchecked: 0 })
    }

    /// What was written, to be read.
    pub fn into_file(self) -> File {
        self.file
    }

    fn check(&self) -> io::Result<()> {
        let room = fstatvfs(self.file.as_fd())?;
        let free = room.blocks_available() as u64 * room.fragment_size();
        if free < RESERVE + STEP {
            let problem = format!(
                "the disk is nearly full: {} MiB are free, and the last {} MiB are left alone",
                free >> 20,
                RESERVE >> 20
            );
            return Err(io::Error::new(io::ErrorKind::StorageFull, problem));
        }
        Ok(())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.unchecked == 0 {
            self.check()?;
            self.unchecked = STEP;
        }
        let most = bytes.len().min(self.unchecked as usize);
        let count = self.file.write(&bytes[..most])?;
        self.unchecked -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
