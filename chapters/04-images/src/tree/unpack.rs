//! A tree that is being filled with the members of a layer.

use std::fs::Permissions;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::openat;
use nix::sys::stat::{Mode, SFlag};

use super::attributes::Skipped;
use super::content::Filler;
use super::deferred::Deferred;
use super::directories::Directories;
use super::failed;
use super::listing::{DIRECTORY, is, look};
use super::places::Places;
use super::room::Room;
use super::whiteout::make_whiteout;
use crate::layer::{Layer, Member};
use crate::shown_path;

const NO_WHITEOUTS: &str = "the file system of the store cannot hold the note that a file was deleted";
const NO_XATTRS: &str = "the file system of the store cannot hold the note that a directory was emptied";

/// A tree that is being filled.
pub struct Tree {
    pub(super) places: Places,
    pub(super) directories: Directories,
    pub(super) filler: Filler,
    pub(super) room: Room,
    pub(super) deferred: Deferred,
    pub(super) skipped: Skipped,
    /// How many bytes its files have so far.
    pub(super) size: u64,
    pub(super) members: u64,
}

/// A layer, unpacked.
#[derive(Debug)]
pub struct Unpacked {
    /// What could not be made here.
    pub skipped: Skipped,
    /// What can be done only when the layers below are there.
    pub deferred: Deferred,
    /// How many bytes its files have.
    pub size: u64,
    /// How many members the archive has that are no deletions.
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
            skipped: Skipped::default(),
            size: 0,
            members: 0,
        })
    }

    /// Makes what `member` of `layer` describes. What this layer had put there before is replaced.
    pub fn put(&mut self, member: &Member, layer: &mut Layer<'_>) -> Result<()> {
        self.members += 1;
        self.add(&member.path, member, layer).with_context(|| format!("unpack {}", shown_path(&member.path)))
    }

    /// Hides what the layers below have at `path`, and leaves what this one puts there, before or after.
    pub fn whiteout(&mut self, path: &Path) -> Result<()> {
        self.delete(path).with_context(|| format!("delete {}", shown_path(path)))
    }

    /// Hides all that the layers below have in the directory `path`, and leaves what this one puts there.
    pub fn opaque(&mut self, path: &Path) -> Result<()> {
        if path.as_os_str().is_empty() {
            // Overlayfs merges the roots of layers whatever they have.
            self.deferred.opaque_root = true;
            return Ok(());
        }
        let made = self.places.dir(path).with_context(|| format!("empty {}", shown_path(path)))?;
        let dir = openat(&made, ".", DIRECTORY, Mode::empty()).map_err(failed("open", path))?;
        self.places.make_opaque(dir.as_fd()).map_err(failed("fsetxattr", path)).context(NO_XATTRS)
    }

    /// Gives the directories what had to wait, and ends.
    pub fn finish(mut self) -> Result<Unpacked> {
        self.directories.finish(&self.places)?;
        self.deferred.implied = self.places.into_implied();
        Ok(Unpacked { skipped: self.skipped, deferred: self.deferred, size: self.size, members: self.members })
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
                // It takes no owner and mode from the layers below: there it is deleted.
                let dir = openat(&dir, name.as_c_str(), DIRECTORY, Mode::empty()).map_err(failed("open", path))?;
                self.places.described(dir.as_fd()).map_err(failed("fstat", path))
            }
            Ok(()) | Err(Errno::EEXIST) => Ok(()),
            Err(errno) => Err(failed("mknod", path)(errno)).context(NO_WHITEOUTS),
        }
    }
}
