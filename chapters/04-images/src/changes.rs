//! What a container changed: its upper directory, entry by entry.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::layer::Kind;
use crate::tree::Attributes;

/// The upper directory of an overlay, walked in the order of names.
#[derive(Debug)]
pub struct Upper;

/// Something in an upper directory.
#[derive(Debug)]
pub struct Entry {
    /// Where it is, from the root.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// What it has.
    pub attributes: Attributes,
    /// A directory that shows nothing from below.
    pub opaque: bool,
    /// Not a thing, but the note that one was deleted.
    pub whiteout: bool,
}

impl Upper {
    /// The directory `dir`.
    pub fn new(_dir: &Path, _rootless: bool) -> Result<Upper> {
        todo!()
    }

    /// The next entry; a directory before what is in it.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        todo!()
    }
}
