//! Room on the disk: a layer may not take the last of it.
//!
//! A few kilobytes of compressed zeros, or of anything that repeats, can stand for terabytes. No limit on how much
//! larger a layer may become tells a bomb from an honest image: that of an empty database is as dense. What counts is
//! what is written, so unpacking stops while the disk still has room for everybody else. Runs of zeros take none: they
//! become holes.

use std::os::fd::BorrowedFd;

use anyhow::{Result, ensure};
use nix::errno::Errno;
use nix::sys::statvfs::fstatvfs;

/// What stays free: this much of the disk…
const RESERVE_PART: u64 = 20;
/// …but no more than this.
const RESERVE_MAX: u64 = 256 << 20;
/// How much is written between two looks at the disk.
const STEP: u64 = 16 << 20;
/// What a member takes besides its content: an inode, its name, and the rest of its last block.
const MEMBER: u64 = 4096;

/// What may be written.
#[derive(Default)]
pub(super) struct Room {
    /// Until the next look at the disk.
    left: u64,
}

impl Room {
    /// Asks for room for a member of which the archive holds `size` bytes, before anything of it is written.
    pub(super) fn for_member(&mut self, dir: BorrowedFd<'_>, size: u64) -> Result<()> {
        if size > STEP {
            let free = free(dir)?;
            ensure!(size <= free, "it is said to have {size} bytes, and there is room for {free}{HELP}");
        }
        self.take(dir, MEMBER)
    }

    /// Takes room for `count` bytes.
    pub(super) fn take(&mut self, dir: BorrowedFd<'_>, count: u64) -> Result<()> {
        if count > self.left {
            let free = free(dir)?;
            ensure!(count <= free, "the disk is full but for the little that is kept free for others{HELP}");
            self.left = free.min(STEP).max(count);
        }
        self.left -= count;
        Ok(())
    }
}

const HELP: &str = "\n  help: make room (tinbox image prune removes what is not used), or keep images on a larger \
    disk with TINBOX_ROOT";

/// How many bytes may be written to the file system that `dir` is on.
fn free(dir: BorrowedFd<'_>) -> Result<u64> {
    let disk = fstatvfs(dir).map_err(|errno: Errno| look::Error::call("fstatvfs", "the store", errno))?;
    let (total, available) = (disk.blocks() as u64, disk.blocks_available() as u64);
    if total == 0 {
        // A file system without an end, such as some in memory.
        return Ok(u64::MAX);
    }
    let block = disk.fragment_size() as u64;
    let reserve = (total.saturating_mul(block) / RESERVE_PART).min(RESERVE_MAX);
    Ok(available.saturating_mul(block).saturating_sub(reserve))
}
