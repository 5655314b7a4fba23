//! What becomes of a member: a directory, a file, a link or a node.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, makedev, mknodat};
use nix::unistd::{UnlinkatFlags, linkat, symlinkat, unlinkat};

use super::attributes::Attributes;
use super::deferred::DeferredLink;
use super::failed;
use super::listing::DIRECTORY;
use super::places::c_string;
use super::unpack::Tree;
use super::whiteout::is_whiteout_at;
use crate::layer::{Extent, Kind, Layer, Member};

impl Tree {
    pub(super) fn add(&mut self, path: &Path, member: &Member, archive: &mut Layer<'_>) -> Result<()> {
        if path.as_os_str().is_empty() {
            ensure!(matches!(member.kind, Kind::Directory), "the root of a tree must be a directory");
            let top = self.places.open(path).map_err(failed("openat2", path))?;
            self.deferred.root_described = true;
            return self.directories.describe(path, top.as_fd(), &member.attributes, &mut self.skipped);
        }
        let (parent, name) = self.places.parent(path)?;
        let (dir, attributes) = (parent.as_fd(), &member.attributes);
        match &member.kind {
            Kind::Directory => self.directory(path, dir, &name, attributes),
            Kind::File { size, extents } => self.file(path, dir, &name, (*size, extents, attributes), archive),
            Kind::HardLink(target) => self.hard_link(target, path, dir, &name),
            Kind::Symlink(target) => self.symlink(target, path, dir, &name, attributes),
            Kind::Fifo => self.node(path, dir, &name, (SFlag::S_IFIFO, 0), attributes),
            Kind::Device { kind, major, minor } => {
                let number = makedev(u64::from(*major), u64::from(*minor));
                self.node(path, dir, &name, (*kind, number), attributes)
            }
        }
    }

    /// Makes a directory, or keeps one that is there already.
    fn directory(&mut self, path: &Path, dir: BorrowedFd<'_>, name: &CStr, attributes: &Attributes) -> Result<()> {
        self.room.for_member(dir, 0)?;
        let made = match self.places.make_one(dir, name, Mode::S_IRWXU) {
            Err(Errno::EEXIST) => match openat(dir, name, DIRECTORY, Mode::empty()) {
                Err(Errno::ENOTDIR | Errno::ELOOP) => self.places.make_over(dir, name, Mode::S_IRWXU),
                there => there,
            },
            made => made,
        };
        let made = made.map_err(failed("mkdir", path))?;
        self.places.described(made.as_fd()).map_err(failed("fstat", path))?;
        self.directories.describe(path, made.as_fd(), attributes, &mut self.skipped)?;
        self.places.keep(path, made);
        Ok(())
    }

    fn file(
        &mut self,
        path: &Path,
        dir: BorrowedFd<'_>,
        name: &CStr,
        (size, extents, attributes): (u64, &[Extent], &Attributes),
        archive: &mut Layer<'_>,
    ) -> Result<()> {
        self.room.for_member(dir, extents.iter().map(|extent| extent.length).sum())?;
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(attributes.mode & 0o777);
        let file = self.places.replacing(dir, name, || openat(dir, name, flags, mode));
        let file = File::from(file.map_err(failed("open", path))?);
        self.filler.fill(&file, (size, extents), archive, (dir, &mut self.room))?;
        self.size = self.size.saturating_add(size);
        attributes.apply(file.as_fd(), &mut self.skipped).map_err(|error| error.at(path))
    }

    /// Another name for a file that is in the tree. A symlink is not followed, but linked itself.
    fn hard_link(&mut self, target: &Path, path: &Path, dir: BorrowedFd<'_>, name: &CStr) -> Result<()> {
        self.room.for_member(dir, 0)?;
        let old = c_string(target.file_name().context("a hard link to the root of the tree")?)?;
        let found = self.places.find(target.parent().unwrap_or(Path::new("")));
        if let Ok(from) = &found {
            ensure!(!is_whiteout_at(from.as_fd(), &old), "a hard link to what this layer deletes");
        }
        let link = |from: &_| linkat(from, old.as_c_str(), dir, name, AtFlags::empty());
        match found.and_then(|from| self.places.replacing(dir, name, || link(&*from))) {
            Err(Errno::ENOENT) => {
                // It may be in a layer below. Until then nothing else stands here.
                match unlinkat(dir, name, UnlinkatFlags::NoRemoveDir) {
                    Ok(()) | Err(Errno::ENOENT) => {}
                    Err(errno) => return Err(failed("unlink", path)(errno)),
                }
                self.deferred.link_later(DeferredLink { target: target.to_owned(), path: path.to_owned() })
            }
            done => done.map_err(failed("link", path)),
        }
    }

    fn symlink(
        &mut self,
        target: &[u8],
        path: &Path,
        dir: BorrowedFd<'_>,
        name: &CStr,
        attributes: &Attributes,
    ) -> Result<()> {
        self.room.for_member(dir, 0)?;
        let target = c_string(OsStr::from_bytes(target))?;
        let make = || symlinkat(target.as_c_str(), dir, name);
        self.places.replacing(dir, name, make).map_err(failed("symlink", path))?;
        attributes.apply_to_symlink(dir, name, &mut self.skipped).map_err(failed("change", path))
    }

    /// A device or fifo. A device is left out where making one is not allowed.
    fn node(
        &mut self,
        path: &Path,
        dir: BorrowedFd<'_>,
        name: &CStr,
        (kind, number): (SFlag, u64),
        attributes: &Attributes,
    ) -> Result<()> {
        if kind == SFlag::S_IFCHR && number == 0 {
            bail!("it is what overlayfs takes for a deletion, which a layer writes as an empty file .wh.NAME");
        }
        self.room.for_member(dir, 0)?;
        let make = || mknodat(dir, name, kind, Mode::S_IRUSR | Mode::S_IWUSR, number);
        match self.places.replacing(dir, name, make) {
            Err(Errno::EPERM) => {
                self.skipped.devices += 1;
                return Ok(());
            }
            done => done.map_err(failed("mknod", path))?,
        }
        attributes.apply_to_node(dir, name, &mut self.skipped).map_err(failed("change", path))
    }
}
