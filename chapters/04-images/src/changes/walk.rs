//! A walk through a tree, entry by entry.

use std::ffi::CString;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::compared::Comparison;
use super::notes::Notes;
use super::walker::Walker;
use crate::layer::Kind;
use crate::tree::Attributes;

/// A walk through the changes in a directory, or through a whole tree, in the order of names.
pub struct TreeWalk {
    source: Source,
}

/// Where the entries come from.
enum Source {
    /// All that is in the tree.
    Tree(Walker),
    /// What in a copy is not as in the original.
    Copy(Comparison),
}

/// Something that a walk comes to.
#[derive(Debug)]
pub struct Entry {
    /// Where it is, from the root.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Its owner, mode, time and extended attributes.
    pub attributes: Attributes,
    /// A directory that shows nothing from below.
    pub opaque: bool,
    /// Not a thing, but the note that one was deleted.
    pub whiteout: bool,
}

impl TreeWalk {
    /// What is in the upper directory `dir` of an overlay. `rootless` says whose: an ordinary user's, or root's.
    pub fn upper(dir: &Path, rootless: bool) -> Result<TreeWalk> {
        Ok(TreeWalk { source: Source::Tree(Walker::begin(dir, Some(Notes::of(rootless)))?) })
    }

    /// What is in the whole tree `dir`, which hides nothing: a container's root.
    pub fn whole(dir: &Path) -> Result<TreeWalk> {
        Ok(TreeWalk { source: Source::Tree(Walker::begin(dir, None)?) })
    }

    /// What is different in the whole tree `copy` from `layers`, bottom first, which it was once a copy of.
    pub fn changed_from(copy: &Path, layers: &[PathBuf]) -> Result<TreeWalk> {
        Ok(TreeWalk { source: Source::Copy(Comparison::begin(Walker::begin(copy, None)?, layers)?) })
    }

    /// Passes over what is at these paths.
    pub fn skip(&mut self, paths: Vec<PathBuf>) {
        match &mut self.source {
            Source::Tree(walker) => walker.skip(paths),
            Source::Copy(comparison) => comparison.skip(paths),
        }
    }

    /// The next entry; a directory before what is in it. Sockets are passed over: one is nothing without the process
    /// that listens on it. So is what was deleted since its directory was read.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        match &mut self.source {
            Source::Tree(walker) => walker.next_entry(),
            Source::Copy(comparison) => comparison.next_entry(),
        }
    }

    /// What is in the directory that the walk is in and was not visited yet, in order. After a directory was the last
    /// entry, that is all that it holds.
    pub fn names(&self) -> &[CString] {
        self.walker().names()
    }

    /// The content of `entry`, which has to be the last that [`TreeWalk::next_entry`] answered with.
    pub fn content(&self, entry: &Entry) -> Result<&File> {
        self.walker().content(&entry.path).context("a file can be read until the next entry is asked for")
    }

    fn walker(&self) -> &Walker {
        match &self.source {
            Source::Tree(walker) => walker,
            Source::Copy(comparison) => comparison.walker(),
        }
    }
}
