//! What a container changed: its upper directory, entry by entry.
//!
//! The container filled that directory, and may still be at it. So this walks as [`crate::remove_tree`] does: down and
//! up by one descriptor, however deep it is, and never by a path. Two things need care besides. A file is looked at
//! through the descriptor that it is later read from, so that nothing else can take its place in between. And a
//! directory that the container moves away while the walk is in it would lead up to somewhere else, in the end out of
//! the tree: each directory on the way up has to be the one that the walk came down through.
//!
//! overlayfs keeps notes in the upper directory, of what it hides: [`notes`] reads them.

mod compared;
mod differences;
mod links;
mod lower;
mod notes;
#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use anyhow::{Context, Result};
use look::Error;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, readlinkat};
use nix::libc::dev_t;
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, major, minor};

use crate::layer::{Extent, Kind};
use crate::tree::{Attributes, xattrs_of};
use compared::Comparison;
use links::Links;
use notes::Notes;

pub use differences::{Change, ChangeKind, differences};
pub use lower::Lower;

/// A directory of changes, or a whole tree, walked in the order of names.
pub struct Upper {
    /// What it is compared with, if it is a copy.
    comparison: Option<Comparison>,
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

/// A directory on the way down.
#[derive(Debug)]
struct Level {
    /// What of it was not visited yet.
    names: IntoIter<CString>,
    /// By which it is known again: device and inode.
    identity: (dev_t, u64),
}

impl Upper {
    /// What is in the upper directory `dir` of an overlay. `rootless` says whose: an ordinary user's, or root's.
    pub fn new(dir: &Path, rootless: bool) -> Result<Upper> {
        Upper::walk(dir, Some(Notes::of(rootless)))
    }

    /// What is in the whole tree `dir`, which hides nothing: a container's root.
    pub fn whole(dir: &Path) -> Result<Upper> {
        Upper::walk(dir, None)
    }

    /// What is different in the whole tree `copy` from `layers`, bottom first, which it was once a copy of.
    pub fn compared(copy: &Path, layers: &[PathBuf]) -> Result<Upper> {
        let mut upper = Upper::whole(copy)?;
        upper.comparison = Some(Comparison::with(layers, &upper)?);
        Ok(upper)
    }

    fn walk(dir: &Path, notes: Option<Notes>) -> Result<Upper> {
        let here = open(dir, DIRECTORY, Mode::empty()).map_err(crate::failed("open", dir))?;
        let level = Level::read(&here).map_err(crate::failed("read", dir))?;
        let top = open(dir, DIRECTORY, Mode::empty()).map_err(crate::failed("open", dir))?;
        let links = Links::default();
        Ok(Upper {
            comparison: None,
            notes,
            top,
            here,
            path: PathBuf::new(),
            levels: vec![level],
            links,
            skipped: Vec::new(),
            current: None,
        })
    }

    /// Passes over what is at these paths.
    pub fn skip(&mut self, paths: Vec<PathBuf>) {
        self.skipped = paths;
    }

    /// The next entry; a directory before what is in it. Sockets are passed over: one is nothing without the process
    /// that listens on it. So is what was deleted since its directory was read.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let Some(mut comparison) = self.comparison.take() else { return self.walk_on() };
        let next = comparison.next_entry(self);
        self.comparison = Some(comparison);
        next
    }

    fn walk_on(&mut self) -> Result<Option<Entry>> {
        self.current = None;
        self.links.begin();
        while let Some(level) = self.levels.last_mut() {
            let Some(name) = level.names.next() else {
                self.up().with_context(|| self.shown())?;
                continue;
            };
            self.path.push(OsStr::from_bytes(name.to_bytes()));
            let skipped = self.skipped.contains(&self.path);
            let entry = if skipped { None } else { self.entry(&name).with_context(|| self.shown())? };
            let below = entry.as_ref().is_some_and(|entry| matches!(entry.kind, Kind::Directory));
            if !below {
                self.path.pop();
            }
            if entry.is_some() {
                return Ok(entry);
            }
        }
        Ok(None)
    }

    /// What is in the directory that the walk is in and was not visited yet, in order. After a directory was the last
    /// entry, that is all that it holds.
    pub fn names(&self) -> &[CString] {
        self.levels.last().map_or(&[], |level| level.names.as_slice())
    }

    /// The content of `entry`, which has to be the last that [`Upper::next_entry`] answered with.
    pub fn content(&self, entry: &Entry) -> Result<&File> {
        let current = self.current.as_ref().filter(|(path, _)| *path == entry.path);
        current.map(|(_, file)| file).context("a file can be read until the next entry is asked for")
    }

    /// What is called `name` in the directory that the walk is in. A directory becomes the one to go on in.
    fn entry(&mut self, name: &CStr) -> Result<Option<Entry>> {
        let node = match openat(&self.here, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty()) {
            Err(Errno::ENOENT) => return Ok(None),
            node => node.map_err(failed("open"))?,
        };
        let stat = fstat(&node).map_err(failed("fstat"))?;
        let mut entry = Entry {
            path: self.path.clone(),
            kind: Kind::Fifo,
            attributes: Attributes::of(&stat, Vec::new()),
            opaque: false,
            whiteout: false,
        };
        match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFDIR => self.directory(&node, &mut entry)?,
            SFlag::S_IFREG => self.file(&node, &stat, &mut entry)?,
            SFlag::S_IFLNK => {
                entry.kind = Kind::Symlink(readlinkat(&node, c"").map_err(failed("readlinkat"))?.into_vec());
            }
            SFlag::S_IFIFO => {}
            kind @ (SFlag::S_IFCHR | SFlag::S_IFBLK) => {
                entry.whiteout = self.notes.is_some() && kind == SFlag::S_IFCHR && stat.st_rdev == 0;
                entry.kind =
                    Kind::Device { kind, major: major(stat.st_rdev) as u32, minor: minor(stat.st_rdev) as u32 };
            }
            _ => return Ok(None),
        }
        if stat.st_nlink > 1
            && !entry.whiteout
            && !matches!(entry.kind, Kind::Directory)
            && let Some(first) = self.links.first_name(&stat, &entry.path)?
        {
            entry.kind = Kind::HardLink(first);
            self.current = None;
        }
        Ok(Some(entry))
    }

    fn directory(&mut self, node: &OwnedFd, entry: &mut Entry) -> Result<()> {
        let dir = openat(node, ".", DIRECTORY, Mode::empty()).map_err(failed("open"))?;
        if let Some(notes) = &self.notes {
            entry.opaque = notes.opaque(dir.as_fd())?;
        }
        entry.attributes.xattrs = xattrs_of(dir.as_fd()).map_err(failed("flistxattr"))?;
        entry.kind = Kind::Directory;
        self.levels.push(Level::read(&dir).map_err(failed("read"))?);
        self.here = dir;
        Ok(())
    }

    /// A file, open to be read. What was looked at may be opened only by its descriptor: by its name, it could be
    /// something else by now, such as a device.
    fn file(&mut self, node: &OwnedFd, stat: &FileStat, entry: &mut Entry) -> Result<()> {
        let by_descriptor = format!("/proc/self/fd/{}", node.as_raw_fd());
        let file = open(by_descriptor.as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
        let file = file.map_err(failed("open"))?;
        if let Some(notes) = &self.notes {
            entry.whiteout = notes.whiteout(file.as_fd(), stat)?;
        }
        entry.attributes.xattrs = xattrs_of(file.as_fd()).map_err(failed("flistxattr"))?;
        let size = stat.st_size as u64;
        entry.kind = Kind::File { size, extents: vec![Extent { offset: 0, length: size }] };
        self.current = Some((entry.path.clone(), file.into()));
        Ok(())
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
            let Ok(below) = openat(&self.here, name.as_os_str(), DIRECTORY, Mode::empty()) else { break };
            if identity(&below).map_err(failed("fstat"))? != level.identity {
                break;
            }
            self.here = below;
            found.push(name);
        }
        self.levels.truncate(1 + found.components().count());
        self.path = found;
        Ok(())
    }

    fn shown(&self) -> String {
        format!("read {}", path_shown(&self.path))
    }
}

const DIRECTORY: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

impl Level {
    fn read(dir: &OwnedFd) -> nix::Result<Level> {
        let mut listing = Dir::from_fd(openat(dir, ".", DIRECTORY, Mode::empty())?)?;
        let names = listing.iter().map(|entry| entry.map(|entry| entry.file_name().to_owned()));
        let names = names.filter(|name| !matches!(name, Ok(name) if matches!(name.as_bytes(), b"." | b"..")));
        let mut names = match names.collect::<nix::Result<Vec<_>>>() {
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

fn failed(call: &'static str) -> impl FnOnce(Errno) -> anyhow::Error {
    move |errno| Error::call(call, "it", errno).into()
}

fn path_shown(path: &Path) -> String {
    crate::shown(path.as_os_str().as_bytes())
}
