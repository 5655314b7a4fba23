//! Laying a hostile layer out as a tree.
//!
//! No path of an archive is opened but in `places`, and there through [`chroot::inside::Root`]. What a member replaces is
//! unlinked first, never written through.
//!
//! Deletions are laid out in the form that overlayfs reads: a file that is gone is a character device with the
//! number 0/0, and a directory that shows nothing from below has the attribute `overlay.opaque`. They are about the
//! layers below alone. What the same layer brings stays, wherever in the archive it is: a file hides what is below by
//! itself, and a directory is made opaque.
//!
//! Sources: OCI image specification, "Image Layer Filesystem Changeset"; the kernel's
//! Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".

mod attributes;
mod content;
mod deferred;
mod directories;
mod flatten;
mod places;
mod remove;
mod room;
mod stack;
#[cfg(test)]
mod tests;

pub use attributes::{Attributes, Skipped, Xattrs, is_kept, xattrs_of};
pub use deferred::Deferred;
pub use flatten::flatten;
pub use remove::remove_tree;
pub(crate) use room::Room;
pub use stack::Stack;

use std::ffi::{CStr, OsStr};
use std::fs::{File, Permissions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use look::Error;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, makedev, mknodat};
use nix::unistd::{UnlinkatFlags, linkat, symlinkat, unlinkat};

use crate::layer::{Extent, Kind, Layer, Member};
use crate::shown;
use content::Filler;
use deferred::DeferredLink;
use directories::Directories;
use places::{DIRECTORY, Places, c_string, is, is_whiteout_at, look, make_whiteout};

/// A tree that is being filled.
pub struct Tree {
    places: Places,
    directories: Directories,
    filler: Filler,
    room: Room,
    deferred: Deferred,
    left_out: Skipped,
    /// How many bytes of files were laid.
    size: u64,
    members: u64,
}

/// A layer, laid out.
#[derive(Debug)]
pub struct Unpacked {
    /// What had to be left out.
    pub left_out: Skipped,
    /// What waits for the layers below.
    pub deferred: Deferred,
    /// How many bytes its files have.
    pub size: u64,
    /// How many members were laid.
    pub members: u64,
}

impl Tree {
    /// A tree in the empty directory `dir`. `rootless` says for whose overlayfs: an ordinary user's, or root's.
    pub fn new(dir: &Path, rootless: bool) -> Result<Tree> {
        std::fs::set_permissions(dir, Permissions::from_mode(0o755)).context("chmod the root of the tree")?;
        Ok(Tree {
            places: Places::new(dir, rootless)?,
            directories: Directories::default(),
            filler: Filler::new(),
            room: Room::default(),
            deferred: Deferred::new(rootless),
            left_out: Skipped::default(),
            size: 0,
            members: 0,
        })
    }

    /// Makes what `member` of `layer` describes. What this layer had put there before is replaced.
    pub fn put(&mut self, member: &Member, layer: &mut Layer<'_>) -> Result<()> {
        self.members += 1;
        self.add(&member.path, member, layer).with_context(|| format!("unpack {}", path_shown(&member.path)))
    }

    /// Hides what the layers below have at `path`, and leaves what this one puts there, before or after.
    pub fn whiteout(&mut self, path: &Path) -> Result<()> {
        self.delete(path).with_context(|| format!("delete {}", path_shown(path)))
    }

    /// Hides all that the layers below have in the directory `path`, and leaves what this one puts there.
    pub fn opaque(&mut self, path: &Path) -> Result<()> {
        if path.as_os_str().is_empty() {
            // Overlayfs merges the roots of layers whatever they have.
            self.deferred.opaque_root = true;
            return Ok(());
        }
        let made = self.places.dir(path).with_context(|| format!("empty {}", path_shown(path)))?;
        let dir = openat(&made, ".", DIRECTORY, Mode::empty()).map_err(failed("open", path))?;
        self.places.make_opaque(dir.as_fd()).map_err(failed("fsetxattr", path)).context(NO_XATTRS)
    }

    /// Gives the directories what had to wait, and ends.
    pub fn finish(mut self) -> Result<Unpacked> {
        self.directories.finish(&self.places)?;
        self.deferred.implied = self.places.into_implied();
        Ok(Unpacked { left_out: self.left_out, deferred: self.deferred, size: self.size, members: self.members })
    }

    fn delete(&mut self, path: &Path) -> Result<()> {
        let (dir, name) = match self.places.parent(path) {
            // A file of this layer hides all that was in a directory below. Umoci deletes each of it all the same.
            Err(_) if self.places.is_in_no_directory(path) => return Ok(()),
            found => found?,
        };
        self.room.for_member(dir.as_fd(), 0)?;
        match make_whiteout(dir.as_fd(), &name) {
            Err(Errno::EEXIST) if is(&look(dir.as_fd(), &name).map_err(failed("fstatat", path))?, SFlag::S_IFDIR) => {
                self.opaque(path)?;
                // That it is there no more below is what it has no owner and mode from.
                let dir = openat(&dir, name.as_c_str(), DIRECTORY, Mode::empty()).map_err(failed("open", path))?;
                self.places.described(dir.as_fd()).map_err(failed("fstat", path))
            }
            Ok(()) | Err(Errno::EEXIST) => Ok(()),
            Err(errno) => Err(failed("mknod", path)(errno)).context(NO_WHITEOUTS),
        }
    }

    fn add(&mut self, path: &Path, member: &Member, archive: &mut Layer<'_>) -> Result<()> {
        if path.as_os_str().is_empty() {
            ensure!(matches!(member.kind, Kind::Directory), "the root of a tree must be a directory");
            let top = self.places.open(path).map_err(failed("openat2", path))?;
            self.deferred.root_described = true;
            return self.directories.describe(path, top.as_fd(), &member.attributes, &mut self.left_out);
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
        self.directories.describe(path, made.as_fd(), attributes, &mut self.left_out)?;
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
        attributes.apply(file.as_fd(), &mut self.left_out).map_err(failed("change", path))
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
                self.deferred.later(DeferredLink { target: target.to_owned(), path: path.to_owned() })
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
        attributes.apply_to_symlink(dir, name, &mut self.left_out).map_err(failed("change", path))
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
                self.left_out.devices += 1;
                return Ok(());
            }
            done => done.map_err(failed("mknod", path))?,
        }
        attributes.apply_to_node(dir, name, &mut self.left_out).map_err(failed("change", path))
    }
}

const NO_WHITEOUTS: &str = "the file system of the store cannot hold the note that a file was deleted";
const NO_XATTRS: &str = "the file system of the store cannot hold the note that a directory was emptied";

fn failed<'a>(call: &'static str, path: &'a Path) -> impl FnOnce(Errno) -> anyhow::Error + 'a {
    move |errno| Error::call(call, path_shown(path), errno).into()
}

fn path_shown(path: &Path) -> String {
    shown(path.as_os_str().as_bytes())
}
