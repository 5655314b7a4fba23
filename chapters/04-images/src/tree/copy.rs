//! Copying the tree of an image: what a container gets to write to where overlayfs cannot stack.
//!
//! Like the removal of a tree, this goes down and up by descriptors, however deep the tree is.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::vec::IntoIter;

use look::{Error, Result};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat, mknodat};
use nix::unistd::{Whence, linkat, lseek, symlinkat};

use super::attributes::{Attributes, LeftOut, xattrs_of};
use super::remove_tree;
use crate::{failed, shown};

/// Copies the directory `from` to `to`, which must not exist yet, and says what had to be left out.
///
/// Kept are owners (as root), modes, times, symlinks, hard links, holes, device nodes (as root), and the extended
/// attributes that an import keeps. Nothing is followed. Call it where every file may be read: as root, or as root
/// of the user namespace that the container will have. After a failure nothing is left at `to`.
pub fn copy_tree(from: &Path, to: &Path) -> Result<Vec<String>> {
    mkdirat(AT_FDCWD, to, Mode::S_IRWXU).map_err(failed("mkdir", to))?;
    Copy::begin(from, to).and_then(Copy::run).inspect_err(|_| drop(remove_tree(to)))
}

/// A copy under way, standing in one directory of each tree.
struct Copy {
    source: OwnedFd,
    target: OwnedFd,
    /// The directories from the top down to this one.
    levels: Vec<Level>,
    top: OwnedFd,
    /// Where the files with several names were copied to, by device and inode of the original.
    links: HashMap<(u64, u64), Vec<u8>>,
    left_out: LeftOut,
}

/// A directory that is being copied.
struct Level {
    name: CString,
    /// What of it is not copied yet.
    entries: IntoIter<CString>,
    attributes: Attributes,
}

impl Copy {
    fn begin(from: &Path, to: &Path) -> Result<Copy> {
        let open_top = |path| open(path, DIRECTORY, Mode::empty()).map_err(failed("open", path));
        let (source, target, top) = (open_top(from)?, open_top(to)?, open_top(to)?);
        let level = Level::read(&source, c"".to_owned()).map_err(failed("open", from))?;
        Ok(Copy { source, target, levels: vec![level], top, links: HashMap::new(), left_out: LeftOut::default() })
    }

    fn run(mut self) -> Result<Vec<String>> {
        while let Some(level) = self.levels.last_mut() {
            match level.entries.next() {
                Some(name) => self.entry(&name).map_err(|errno| self.failed(&name, errno))?,
                None => self.up().map_err(|errno| self.failed(c"", errno))?,
            }
        }
        Ok(self.left_out.warnings())
    }

    /// Copies one entry; a directory is made, and becomes the one to go on in.
    fn entry(&mut self, name: &CStr) -> nix::Result<()> {
        let stat = fstatat(&self.source, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFDIR {
            mkdirat(&self.target, name, Mode::S_IRWXU)?;
            self.source = openat(&self.source, name, DIRECTORY, Mode::empty())?;
            self.target = openat(&self.target, name, DIRECTORY, Mode::empty())?;
            self.levels.push(Level::read(&self.source, name.to_owned())?);
            return Ok(());
        }
        if let Some(first) = self.links.get(&(stat.st_dev, stat.st_ino)) {
            return linkat(&self.top, first.as_slice(), &self.target, name, AtFlags::empty());
        }
        match kind {
            SFlag::S_IFREG => self.file(name)?,
            SFlag::S_IFLNK => {
                symlinkat(readlinkat(&self.source, name)?.as_os_str(), &self.target, name)?;
                let plain = Attributes::of(&stat, Vec::new());
                plain.apply_to_symlink(self.target.as_fd(), name, &mut self.left_out)?;
            }
            // A socket is nothing without the process that listens on it.
            SFlag::S_IFSOCK => return Ok(()),
            _ => match mknodat(&self.target, name, kind, Mode::S_IRUSR | Mode::S_IWUSR, stat.st_rdev) {
                Ok(()) => {
                    let plain = Attributes::of(&stat, Vec::new());
                    plain.apply_to_node(self.target.as_fd(), name, &mut self.left_out)?;
                }
                Err(Errno::EPERM) => {
                    self.left_out.devices += 1;
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

    fn file(&mut self, name: &CStr) -> nix::Result<()> {
        let reading = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let writing = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let source = openat(&self.source, name, reading, Mode::empty())?;
        let target = openat(&self.target, name, writing, Mode::S_IRUSR | Mode::S_IWUSR)?;
        let (stat, xattrs) = (fstat(&source)?, xattrs_of(source.as_fd())?);
        let (source, target) = (File::from(source), File::from(target));
        copy_content(&source, &target, &stat).map_err(|e| e.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
        Attributes::of(&stat, xattrs).apply(target.as_fd(), &mut self.left_out)
    }

    /// Ends a directory. Both trees are left before the copy gets its mode, which may forbid to walk in it.
    fn up(&mut self) -> nix::Result<()> {
        let Some(level) = self.levels.pop() else { return Ok(()) };
        let up = |dir: &OwnedFd| openat(dir, "..", DIRECTORY, Mode::empty());
        let above =
            if self.levels.is_empty() { self.top.try_clone().map_err(|_| Errno::EMFILE)? } else { up(&self.target)? };
        let done = std::mem::replace(&mut self.target, above);
        if !self.levels.is_empty() {
            self.source = up(&self.source)?;
        }
        level.attributes.apply(done.as_fd(), &mut self.left_out)
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

const DIRECTORY: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

impl Level {
    fn read(dir: &OwnedFd, name: CString) -> nix::Result<Level> {
        let attributes = Attributes::of(&fstat(dir)?, xattrs_of(dir.as_fd())?);
        let mut listing = Dir::from_fd(openat(dir, ".", DIRECTORY, Mode::empty())?)?;
        let names = listing.iter().map(|entry| entry.map(|entry| entry.file_name().to_owned()));
        let names = names.filter(|name| !matches!(name, Ok(name) if matches!(name.as_bytes(), b"." | b"..")));
        let entries = names.collect::<nix::Result<Vec<_>>>()?.into_iter();
        Ok(Level { name, entries, attributes })
    }
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
