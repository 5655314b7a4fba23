//! The way through a tree that a container filled, and may still be changing.
//!
//! So this walks as [`crate::remove_tree`] does: down and up by one descriptor, however deep the tree is, and never by a
//! path. A directory that the container moves away while the walk is in it would lead up to somewhere else, in the end
//! out of the tree: each directory on the way up has to be the one that the walk came down through.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{open, openat};
use nix::libc::dev_t;
use nix::sys::stat::{Mode, fstat};

use super::links::Links;
use super::notes::Notes;
use super::{Entry, failed, node};
use crate::layer::Kind;
use crate::shown_path;
use crate::tree::{DIRECTORY, names};

/// A walk, standing in one directory of the tree.
pub(super) struct Walker {
    /// How overlayfs writes its notes here; in a whole tree there are none.
    notes: Option<Notes>,
    top: OwnedFd,
    /// The directory that the walk is in, and its path from the top.
    here: OwnedFd,
    path: PathBuf,
    /// The directories from the top down to this one.
    levels: Vec<Level>,
    links: Links,
    /// What is passed over, with all that is in it.
    skipped: Vec<PathBuf>,
    /// The file that was the last entry, to be read.
    current: Option<(PathBuf, File)>,
}

/// A directory on the way down.
#[derive(Debug)]
struct Level {
    /// What of it was not visited yet.
    names: IntoIter<CString>,
    /// By which it is known again: device and inode.
    identity: (dev_t, u64),
}

impl Walker {
    /// At the top of the tree `dir`, in which overlayfs left these `notes`, if it is an upper directory.
    pub(super) fn begin(dir: &Path, notes: Option<Notes>) -> Result<Walker> {
        let open_top = || open(dir, DIRECTORY, Mode::empty()).map_err(crate::failed("open", dir));
        let (here, top) = (open_top()?, open_top()?);
        let level = Level::read(&here).map_err(crate::failed("read", dir))?;
        Ok(Walker {
            notes,
            top,
            here,
            path: PathBuf::new(),
            levels: vec![level],
            links: Links::default(),
            skipped: Vec::new(),
            current: None,
        })
    }

    /// Passes over what is at these paths.
    pub(super) fn skip(&mut self, paths: Vec<PathBuf>) {
        self.skipped = paths;
    }

    /// The next entry. A directory becomes the one to go on in.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>> {
        self.current = None;
        self.links.begin();
        while let Some(level) = self.levels.last_mut() {
            let Some(name) = level.names.next() else {
                self.up().with_context(|| self.shown())?;
                continue;
            };
            self.path.push(OsStr::from_bytes(name.to_bytes()));
            let skipped = self.skipped.contains(&self.path);
            let entry = if skipped { None } else { self.visit(&name).with_context(|| self.shown())? };
            let entered = entry.as_ref().is_some_and(|entry| matches!(entry.kind, Kind::Directory));
            if !entered {
                self.path.pop();
            }
            if entry.is_some() {
                return Ok(entry);
            }
        }
        Ok(None)
    }

    /// Looks at `name` in the directory that the walk is in.
    fn visit(&mut self, name: &CString) -> Result<Option<Entry>> {
        let Some(mut node) = node::open(&self.here, name, self.path.clone(), self.notes.as_ref())? else {
            return Ok(None);
        };
        if node.may_have_more_names()
            && let Some(first) = self.links.first_name(&node.stat, &node.entry.path)?
        {
            node.entry.kind = Kind::HardLink(first);
        }
        match (&node.entry.kind, node.opened) {
            (Kind::Directory, Some(dir)) => {
                self.levels.push(Level::read(&dir).map_err(failed("read"))?);
                self.here = dir;
            }
            (Kind::File { .. }, Some(file)) => self.current = Some((node.entry.path.clone(), file.into())),
            _ => {}
        }
        Ok(Some(node.entry))
    }

    /// What is in the directory that the walk is in and was not visited yet.
    pub(super) fn names(&self) -> &[CString] {
        self.levels.last().map_or(&[], |level| level.names.as_slice())
    }

    /// The content of the file at `path`, if that was the last entry.
    pub(super) fn content(&self, path: &Path) -> Option<&File> {
        self.current.as_ref().filter(|(current, _)| current == path).map(|(_, file)| file)
    }

    /// Forgets the name of the last entry: another name of the same file counts as its first.
    pub(super) fn forget_last_name(&mut self) {
        self.links.forget_last();
    }

    /// Leaves a directory.
    fn up(&mut self) -> Result<()> {
        self.levels.pop();
        let Some(above) = self.levels.last() else { return Ok(()) };
        self.path.pop();
        let parent = openat(&self.here, "..", DIRECTORY, Mode::empty()).map_err(failed("open"))?;
        if identity(&parent).map_err(failed("fstat"))? == above.identity {
            self.here = parent;
            return Ok(());
        }
        self.find_back()
    }

    /// Goes down again to where the walk is to go on, or as far as that is still there.
    fn find_back(&mut self) -> Result<()> {
        self.here = openat(&self.top, ".", DIRECTORY, Mode::empty()).map_err(failed("open"))?;
        let mut found = PathBuf::new();
        for (name, level) in self.path.components().zip(&self.levels[1..]) {
            let Ok(child) = openat(&self.here, name.as_os_str(), DIRECTORY, Mode::empty()) else { break };
            if identity(&child).map_err(failed("fstat"))? != level.identity {
                break;
            }
            self.here = child;
            found.push(name);
        }
        self.levels.truncate(1 + found.components().count());
        self.path = found;
        Ok(())
    }

    fn shown(&self) -> String {
        format!("read {}", shown_path(&self.path))
    }
}

impl Level {
    fn read(dir: &OwnedFd) -> nix::Result<Level> {
        let mut names = match names(dir.as_fd()) {
            // It was deleted a moment ago.
            Err(Errno::ENOENT) => Vec::new(),
            names => names?,
        };
        names.sort_unstable();
        Ok(Level { names: names.into_iter(), identity: identity(dir)? })
    }
}

fn identity(dir: &OwnedFd) -> nix::Result<(dev_t, u64)> {
    fstat(dir).map(|stat| (stat.st_dev, stat.st_ino))
}
