//! What one file is.
//!
//! It is looked at through the descriptor that it is later read from, so that nothing else can take its place in between.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use anyhow::Result;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open as open_path, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, major, minor};

use super::notes::Notes;
use super::{Entry, failed};
use crate::layer::{Extent, Kind};
use crate::tree::{Attributes, DIRECTORY, kind_of, xattrs_of};

/// A file, looked at.
pub(super) struct Node {
    pub(super) entry: Entry,
    pub(super) stat: FileStat,
    /// A regular file or directory, to be read.
    pub(super) opened: Option<OwnedFd>,
}

impl Node {
    /// Whether it is something that a hard link can lead to, and one may do so.
    pub(super) fn may_have_more_names(&self) -> bool {
        self.stat.st_nlink > 1 && !self.entry.whiteout && !matches!(self.entry.kind, Kind::Directory)
    }
}

/// What is called `name` in the directory `dir`, at `path` from the top. `None` for a socket, and for what is not there
/// any more. `notes` says how overlayfs writes its notes, if this is an upper directory.
pub(super) fn open(dir: &OwnedFd, name: &CStr, path: PathBuf, notes: Option<&Notes>) -> Result<Option<Node>> {
    let found = match openat(dir, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok(None),
        found => found.map_err(failed("open"))?,
    };
    let stat = fstat(&found).map_err(failed("fstat"))?;
    let attributes = Attributes::of(&stat, Vec::new());
    let entry = Entry { path, kind: Kind::Fifo, attributes, opaque: false, whiteout: false };
    let mut node = Node { entry, stat, opened: None };
    match kind_of(&stat) {
        SFlag::S_IFDIR => directory(&found, notes, &mut node)?,
        SFlag::S_IFREG => file(&found, notes, &mut node)?,
        SFlag::S_IFLNK => {
            node.entry.kind = Kind::Symlink(readlinkat(&found, c"").map_err(failed("readlinkat"))?.into_vec());
        }
        SFlag::S_IFIFO => {}
        kind @ (SFlag::S_IFCHR | SFlag::S_IFBLK) => {
            let (major, minor) = (major(stat.st_rdev) as u32, minor(stat.st_rdev) as u32);
            node.entry.whiteout = notes.is_some() && kind == SFlag::S_IFCHR && stat.st_rdev == 0;
            node.entry.kind = Kind::Device { kind, major, minor };
        }
        _ => return Ok(None),
    }
    Ok(Some(node))
}

fn directory(found: &OwnedFd, notes: Option<&Notes>, node: &mut Node) -> Result<()> {
    let dir = openat(found, ".", DIRECTORY, Mode::empty()).map_err(failed("open"))?;
    if let Some(notes) = notes {
        node.entry.opaque = notes.opaque(dir.as_fd())?;
    }
    node.entry.attributes.xattrs = xattrs_of(dir.as_fd()).map_err(failed("flistxattr"))?;
    node.entry.kind = Kind::Directory;
    node.opened = Some(dir);
    Ok(())
}

/// What was looked at may be opened only by its descriptor: by its name, it could be something else by now, such as a
/// device.
fn file(found: &OwnedFd, notes: Option<&Notes>, node: &mut Node) -> Result<()> {
    let by_descriptor = format!("/proc/self/fd/{}", found.as_raw_fd());
    let file = open_path(by_descriptor.as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
    let file = file.map_err(failed("open"))?;
    if let Some(notes) = notes {
        node.entry.whiteout = notes.whiteout(file.as_fd(), &node.stat)?;
    }
    node.entry.attributes.xattrs = xattrs_of(file.as_fd()).map_err(failed("flistxattr"))?;
    let size = node.stat.st_size as u64;
    node.entry.kind = Kind::File { size, extents: vec![Extent { offset: 0, length: size }] };
    node.opened = Some(file);
    Ok(())
}
