//! A member of an archive: what it is called, what it is, and what it has.

use std::path::PathBuf;

use nix::sys::stat::SFlag;

use super::Extent;
use crate::tree::Attributes;

/// A member, without its content.
#[derive(Debug)]
pub struct Member {
    /// Where it belongs, from the root of the tree: no `..`, no leading `/`; empty for the root itself.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// What is given to it once it is made.
    pub attributes: Attributes,
}

/// What a member is.
#[derive(Debug)]
pub enum Kind {
    /// A file of `size` bytes. The archive has those in `extents`, in order; between them are zeros.
    File {
        /// Its length.
        size: u64,
        /// What of it the archive has.
        extents: Vec<Extent>,
    },
    /// Another name for a file that is there: its path, as clean as a member's own.
    HardLink(PathBuf),
    /// A symlink with this target, which may be anything.
    Symlink(Vec<u8>),
    /// A directory.
    Directory,
    /// A fifo.
    Fifo,
    /// A device node.
    Device {
        /// Of characters or of blocks.
        kind: SFlag,
        /// Which driver.
        major: u32,
        /// Which of its devices.
        minor: u32,
    },
}
