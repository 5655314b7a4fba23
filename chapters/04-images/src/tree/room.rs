//! Room on the disk: a layer may not take the last of it.
//!
//! A few kilobytes of compressed zeros, or of anything that repeats, can stand for terabytes. No limit on how much
//! larger a layer may become tells a bomb from an honest image: that of an empty database is as dense. What counts is
//! what is written, so unpacking stops while the disk still has room for everybody else. Runs of zeros take none: they
//! become holes.

use std::io::{Error, ErrorKind, Result};
use std::os::fd::BorrowedFd;

use nix::sys::statvfs::{Statvfs, fstatvfs};

/// What stays free: this much of the disk…
const RESERVE_PART: u64 = 20;
/// …but no more than this.
const RESERVE_MAX: u64 = 256 << 20;
/// How much is written between two looks at the disk…
const STEP: u64 = 16 << 20;
/// …but no more than this part of what is free: others write at the same time.
const STEP_PART: u64 = 8;
/// What a member takes besides its content: an inode, its name, and the rest of its last block.
const MEMBER: u64 = 4096;

/// How many members are made between two looks at its inodes, and how many of those stay free at most.
const MEMBERS: u64 = 1000;
const INODES_MAX: u64 = 10_000;

/// What may be written. Where there is no room, its errors are of the kind [`ErrorKind::StorageFull`].
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Until the next look at the disk.
    left: u64,
    /// Until the next look at its inodes.
    members: u64,
}

impl Room {
    /// Asks for room for a member of which the archive holds `size` bytes, before anything of it is written.
    pub(super) fn for_member(&mut self, dir: BorrowedFd<'_>, size: u64) -> Result<()> {
        if size > STEP {
            self.for_all(dir, size)?;
        }
        if self.members == 0 {
            let disk = disk(dir)?;
            let (total, available) = (disk.files(), disk.files_available());
            let enough = available > MEMBERS + (total / RESERVE_PART).min(INODES_MAX);
            // Some file systems make inodes as they need them, and say 0.
            if total > 0 && !enough {
                return Err(full("the disk has no inodes but for the few that are kept free".into()));
            }
            self.members = MEMBERS;
        }
        self.members -= 1;
        self.take(dir, MEMBER)
    }

    /// Asks for room for `size` bytes, before anything of them is read.
    pub(crate) fn for_all(&self, dir: BorrowedFd<'_>, size: u64) -> Result<()> {
        let free = free(&disk(dir)?);
        if size > free {
            return Err(full(format!("it is said to have {size} bytes, and there is room for {free}")));
        }
        Ok(())
    }

    /// Takes room for `count` bytes.
    pub(crate) fn take(&mut self, dir: BorrowedFd<'_>, count: u64) -> Result<()> {
        if count > self.left {
            let free = free(&disk(dir)?);
            if count > free {
                return Err(full("the disk is full but for the little that is kept free for others".into()));
            }
            self.left = (free / STEP_PART).min(STEP).max(count);
        }
        self.left -= count;
        Ok(())
    }
}

/// The error by which callers can tell that there was no room.
fn full(problem: String) -> Error {
    Error::new(ErrorKind::StorageFull, problem)
}

fn disk(dir: BorrowedFd<'_>) -> Result<Statvfs> {
    fstatvfs(dir).map_err(|errno| Error::other(look::Error::call("fstatvfs", "the store", errno)))
}

/// How many bytes may be written to this file system.
fn free(disk: &Statvfs) -> u64 {
    let (total, available, block) = (disk.blocks(), disk.blocks_available(), disk.fragment_size());
    if total == 0 {
        // A file system without an end, such as some in memory.
        return u64::MAX;
    }
    let reserve = (total.saturating_mul(block) / RESERVE_PART).min(RESERVE_MAX);
    available.saturating_mul(block).saturating_sub(reserve)
}
