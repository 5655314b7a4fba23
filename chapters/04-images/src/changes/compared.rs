//! Changes without an overlay: a container that works on a copy of its image, compared with the image.
//!
//! What comes out is what an upper directory would hold: what is new or different, the directories that lead there, and
//! a deletion for what is missing. A file counts as unchanged if type, owner, mode, size, time and extended attributes
//! are the same: nobody reads all of both trees.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::sys::stat::{FileStat, SFlag};
use nix::sys::time::TimeSpec;

use super::walker::Walker;
use super::{Entry, Lower};
use crate::layer::Kind;
use crate::tree::{Attributes, Xattrs, kind_of};

/// A walk through a copy, compared with its original.
pub(super) struct Comparison {
    walker: Walker,
    lower: Lower,
    /// Unchanged directories on the way to where the walk is.
    on_the_way: Vec<Entry>,
    /// What was found, and comes next.
    found: VecDeque<Entry>,
}

impl Comparison {
    /// Of what `walker` finds, which stands at its beginning, with `layers`, bottom first.
    pub(super) fn begin(walker: Walker, layers: &[PathBuf]) -> Result<Comparison> {
        let lower = Lower::open(layers)?;
        let mut comparison = Comparison { walker, lower, on_the_way: Vec::new(), found: VecDeque::new() };
        comparison.found = comparison.deleted(Path::new(""))?.into();
        Ok(comparison)
    }

    /// The walk through the copy.
    pub(super) fn walker(&self) -> &Walker {
        &self.walker
    }

    /// Passes over what is at these paths.
    pub(super) fn skip(&mut self, paths: Vec<PathBuf>) {
        self.walker.skip(paths);
    }

    /// The next change.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>> {
        loop {
            if let Some(entry) = self.found.pop_front() {
                return Ok(Some(entry));
            }
            let Some(entry) = self.walker.next_entry()? else { return Ok(None) };
            self.on_the_way.retain(|dir| entry.path.starts_with(&dir.path));
            let same = match self.lower.find(&entry.path)? {
                Some(before) => is_same(&entry, &before, &self.lower.xattrs(&entry.path)?),
                None => false,
            };
            let is_directory = matches!(entry.kind, Kind::Directory);
            let deleted = if is_directory { self.deleted(&entry.path)? } else { Vec::new() };
            if !same || !deleted.is_empty() {
                self.found.extend(self.on_the_way.drain(..));
                self.found.push_back(entry);
                self.found.extend(deleted);
            } else if is_directory {
                self.on_the_way.push(entry);
            } else {
                // Another name of it, if that is new, is not a link to what no layer of ours has.
                self.walker.forget_last_name();
            }
        }
    }

    /// What the layers have in the directory that the walk has just entered, and the copy has not.
    fn deleted(&mut self, dir: &Path) -> Result<Vec<Entry>> {
        let mut names = self.lower.names(dir)?;
        names.retain(|name| self.walker.names().binary_search(name).is_err());
        Ok(names.iter().map(|name| deletion(dir.join(OsStr::from_bytes(name.to_bytes())))).collect())
    }
}

fn deletion(path: PathBuf) -> Entry {
    let nothing = Attributes { uid: 0, gid: 0, mode: 0, mtime: TimeSpec::new(0, 0), xattrs: Vec::new() };
    let kind = Kind::Device { kind: SFlag::S_IFCHR, major: 0, minor: 0 };
    Entry { path, kind, attributes: nothing, opaque: false, whiteout: true }
}

fn is_same(entry: &Entry, before: &FileStat, xattrs: &Xattrs) -> bool {
    let Attributes { uid, gid, mode, mtime, xattrs: own } = &entry.attributes;
    let kind = match &entry.kind {
        Kind::Directory => SFlag::S_IFDIR,
        Kind::File { .. } => SFlag::S_IFREG,
        Kind::Symlink(_) => SFlag::S_IFLNK,
        Kind::Fifo => SFlag::S_IFIFO,
        Kind::Device { kind, .. } => *kind,
        // What it is a link to has changed, or is new; time and attributes tell whether it was always the same file.
        Kind::HardLink(_) => kind_of(before),
    };
    let size = match &entry.kind {
        Kind::File { size, .. } => *size,
        Kind::Symlink(target) => target.len() as u64,
        _ => before.st_size as u64,
    };
    let device = match entry.kind {
        Kind::Device { major, minor, .. } => nix::sys::stat::makedev(major.into(), minor.into()),
        _ => before.st_rdev,
    };
    // Of a directory, the time tells that something in it changed, which is found there.
    let time = kind == SFlag::S_IFDIR || (mtime.tv_sec(), mtime.tv_nsec()) == (before.st_mtime, before.st_mtime_nsec);
    let sorted = |xattrs: &Xattrs| {
        let mut xattrs = xattrs.clone();
        xattrs.sort();
        xattrs
    };
    before.st_mode == kind.bits() | mode
        && (before.st_uid, before.st_gid) == (*uid, *gid)
        && before.st_size as u64 == size
        && before.st_rdev == device
        && time
        && sorted(own) == sorted(xattrs)
}
