//! Copying the layers of an image as one tree: what a container gets to write to where overlayfs cannot stack.
//!
//! What overlayfs would show is copied, and what it would hide is not. Like the removal of a tree, this goes down and up
//! by descriptors, however deep the tree is.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use look::{Error, Result};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, mkdirat, mknodat};
use nix::unistd::{Whence, linkat, lseek, symlinkat};

use super::attributes::{Attributes, Skipped, xattrs_of};
use super::listing::{DIRECTORY, kind_of};
use super::remove_tree;
use super::stack::Stack;
use crate::{failed, shown};

/// Copies what the layers `trees`, the bottom one first, show together to `to`, which must not exist yet, and says what
/// had to be left out.
///
/// Kept are owners (as root), modes, times, symlinks, hard links, holes, device nodes (as root), and the extended
/// attributes that a layer brings. Nothing is followed. Call it where every file may be read: as root, or as root
/// of the user namespace that the container will have. After a failure nothing is left at `to`.
pub fn flatten(trees: &[PathBuf], to: &Path) -> Result<Vec<String>> {
    let source = Stack::open(trees.iter())?;
    mkdirat(AT_FDCWD, to, Mode::S_IRWXU).map_err(failed("mkdir", to))?;
    Copy::begin(source, to).and_then(Copy::run).inspect_err(|_| drop(remove_tree(to)))
}

/// A copy under way, standing in one directory of both sides.
struct Copy {
    source: Stack,
    target: OwnedFd,
    /// The directories from the top down to this one.
    levels: Vec<Level>,
    top: OwnedFd,
    /// Where the files with several names were copied to, by device and inode of the original.
    links: HashMap<(u64, u64), Vec<u8>>,
    skipped: Skipped,
}

/// A directory that is being copied.
struct Level {
    name: CString,
    /// What of it is not copied yet.
    entries: IntoIter<CString>,
    attributes: Attributes,
}

impl Copy {
    fn begin(source: Stack, to: &Path) -> Result<Copy> {
        let open_top = || openat(AT_FDCWD, to, DIRECTORY, Mode::empty()).map_err(failed("open", to));
        let (target, top) = (open_top()?, open_top()?);
        let level = Level::read(&source, c"".to_owned()).map_err(failed("copy", to))?;
        Ok(Copy { source, target, levels: vec![level], top, links: HashMap::new(), skipped: Skipped::default() })
    }

    fn run(mut self) -> Result<Vec<String>> {
        while let Some(level) = self.levels.last_mut() {
            match level.entries.next() {
                Some(name) => self.entry(&name).map_err(|errno| self.failed(&name, errno))?,
                None => self.up().map_err(|errno| self.failed(c"", errno))?,
            }
        }
        Ok(self.skipped.warnings())
    }

    /// Copies one entry; a directory is made, and becomes the one to go on in.
    fn entry(&mut self, name: &CStr) -> nix::Result<()> {
        let Some((source, stat)) = self.source.find(name)? else { return Ok(()) };
        let kind = kind_of(&stat);
        if kind == SFlag::S_IFDIR {
            mkdirat(&self.target, name, Mode::S_IRWXU)?;
            self.source.enter(name)?;
            self.target = openat(&self.target, name, DIRECTORY, Mode::empty())?;
            self.levels.push(Level::read(&self.source, name.to_owned())?);
            return Ok(());
        }
        if let Some(first) = self.links.get(&(stat.st_dev, stat.st_ino)) {
            return linkat(&self.top, first.as_slice(), &self.target, name, AtFlags::empty());
        }
        let target = self.target.as_fd();
        let plain = || Attributes::of(&stat, Vec::new());
        match kind {
            SFlag::S_IFREG => copy_file(source, target, name, &mut self.skipped)?,
            SFlag::S_IFLNK => {
                symlinkat(readlinkat(source, name)?.as_os_str(), target, name)?;
                plain().apply_to_symlink(target, name, &mut self.skipped)?;
            }
            // A socket is nothing without the process that listens on it.
            SFlag::S_IFSOCK => return Ok(()),
            _ => match mknodat(target, name, kind, Mode::S_IRUSR | Mode::S_IWUSR, stat.st_rdev) {
                Ok(()) => plain().apply_to_node(target, name, &mut self.skipped)?,
                Err(Errno::EPERM) => {
                    self.skipped.devices += 1;
                    return Ok(());
                }
                Err(errno) => return Err(errno),
            },
        }
        if stat.st_nlink > 1 {
            self.links.insert((stat.st_dev, stat.st_ino), self.path(name));
        }
        Ok(())
    }

    /// Ends a directory. Both sides are left before the copy gets its mode, which may forbid to walk in it.
    fn up(&mut self) -> nix::Result<()> {
        let Some(level) = self.levels.pop() else { return Ok(()) };
        let above = if self.levels.is_empty() { "." } else { ".." };
        let above = openat(&self.target, above, DIRECTORY, Mode::empty())?;
        let done = std::mem::replace(&mut self.target, above);
        if !self.levels.is_empty() {
            self.source.leave()?;
        }
        Ok(level.attributes.apply(done.as_fd(), &mut self.skipped)?)
    }

    /// Where `name` in this directory is, from the top.
    fn path(&self, name: &CStr) -> Vec<u8> {
        let levels = self.levels.iter().skip(1).map(|level| level.name.to_bytes());
        levels.chain([name.to_bytes()]).collect::<Vec<_>>().join(&b'/')
    }

    fn failed(&self, name: &CStr, errno: Errno) -> Error {
        Error::call("copy", shown(&self.path(name)), errno)
    }
}

impl Level {
    fn read(source: &Stack, name: CString) -> nix::Result<Level> {
        let dir = source.top().ok_or(Errno::ENOENT)?;
        let attributes = Attributes::of(&fstat(dir)?, xattrs_of(dir)?);
        Ok(Level { name, entries: source.names()?.into_iter(), attributes })
    }
}

fn copy_file(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr, skipped: &mut Skipped) -> nix::Result<()> {
    let reading = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let writing = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    let source = openat(from, name, reading, Mode::empty())?;
    let target = openat(to, name, writing, Mode::S_IRUSR | Mode::S_IWUSR)?;
    let (stat, xattrs) = (fstat(&source)?, xattrs_of(source.as_fd())?);
    let (source, target) = (File::from(source), File::from(target));
    copy_content(&source, &target, &stat).map_err(|e| e.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
    Ok(Attributes::of(&stat, xattrs).apply(target.as_fd(), skipped)?)
}

/// Copies what is written in `source`, in the kernel where it can, and leaves holes where it has holes.
fn copy_content(mut source: &File, mut target: &File, stat: &FileStat) -> io::Result<()> {
    let mut at = 0;
    while at < stat.st_size {
        let start = match lseek(source, at, Whence::SeekData) {
            Err(Errno::ENXIO) => break,
            start => start?,
        };
        let end = lseek(source, start, Whence::SeekHole)?;
        source.seek(SeekFrom::Start(start as u64))?;
        target.seek(SeekFrom::Start(start as u64))?;
        io::copy(&mut source.take((end - start) as u64), &mut target)?;
        at = end;
    }
    target.set_len(stat.st_size as u64)
}
