//! Where the members of a layer go: the directories of a tree that is being filled.
//!
//! Every path is looked up by [`Root`], so a symlink that an earlier member made leads, at worst, somewhere else in the
//! same tree. Since the members of one directory mostly come one after the other, the last few directories are kept
//! open: a member then costs no look-up at all.

use std::collections::HashSet;
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chroot::inside::Root;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::attributes::set_xattr;
use super::failed;
use super::listing::{DIRECTORY, is, look};
use super::whiteout::{is_whiteout, is_whiteout_at};
use crate::overlay;

/// Directories that no member describes.
const IMPLIED: Mode = Mode::from_bits_truncate(0o755);
/// The most of them in one layer, so that what is remembered of them stays small.
const IMPLIED_MAX: usize = 1 << 20;
/// How many directories are kept open.
const RECENT_MAX: usize = 16;

/// The directories of a tree.
pub(super) struct Places {
    root: Root,
    rootless: bool,
    /// Directories by their paths, the last used at the end.
    recent: Vec<(PathBuf, Arc<OwnedFd>)>,
    /// The inodes of the directories that were made on the way to something else.
    implied: HashSet<u64>,
}

impl Places {
    /// Those of the tree in `dir`.
    pub(super) fn new(dir: &Path, rootless: bool) -> Result<Places> {
        Ok(Places { root: Root::new(dir)?, rootless, recent: Vec::new(), implied: HashSet::new() })
    }

    /// The directory that `path` is in, made if it is missing, and what `path` is called there.
    pub(super) fn parent(&mut self, path: &Path) -> Result<(Arc<OwnedFd>, CString)> {
        let name = path.file_name().context("the root of a layer cannot be replaced")?;
        Ok((self.dir(path.parent().unwrap_or(Path::new("")))?, c_string(name)?))
    }

    /// The directory `path`, made if it is missing. Only good for looking things up in it.
    pub(super) fn dir(&mut self, path: &Path) -> Result<Arc<OwnedFd>> {
        let dir = match self.find(path) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => self.make(path)?,
            found => return found.map_err(failed("openat2", path)),
        };
        Ok(self.keep(path, dir))
    }

    /// The same if it is there.
    pub(super) fn find(&mut self, path: &Path) -> nix::Result<Arc<OwnedFd>> {
        let wanted = path.as_os_str();
        if let Some(at) = self.recent.iter().rposition(|(known, _)| known.as_os_str() == wanted) {
            self.recent[at..].rotate_left(1);
            return Ok(self.recent[self.recent.len() - 1].1.clone());
        }
        let dir = self.root.open(or_dot(path), OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty())?;
        Ok(self.keep(path, dir))
    }

    /// Keeps the directory `path` at hand: what is in it may follow.
    pub(super) fn keep(&mut self, path: &Path, dir: OwnedFd) -> Arc<OwnedFd> {
        if self.recent.len() == RECENT_MAX {
            self.recent.remove(0);
        }
        let dir = Arc::new(dir);
        self.recent.push((path.to_owned(), dir.clone()));
        dir
    }

    /// Opens the directory `path` for changing what it has. It must not be a symlink.
    pub(super) fn open(&self, path: &Path) -> nix::Result<OwnedFd> {
        self.root.open(or_dot(path), OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW, Mode::empty())
    }

    /// Whether `path` would be in something of this layer that is no directory, and leads to none.
    pub(super) fn is_in_no_directory(&self, path: &Path) -> bool {
        path.ancestors().skip(1).any(|above| {
            let found = self.root.open(or_dot(above), OFlag::O_PATH | OFlag::O_NOFOLLOW, Mode::empty());
            let found = found.and_then(|found| fstat(&found));
            found.is_ok_and(|stat| !is(&stat, SFlag::S_IFDIR) && !is(&stat, SFlag::S_IFLNK) && !is_whiteout(&stat))
        })
    }

    /// Goes down to `path` step by step, and makes what is missing.
    fn make(&mut self, path: &Path) -> Result<OwnedFd> {
        let lookup = DIRECTORY | OFlag::O_PATH;
        let top = self.root.open(".", lookup, Mode::empty());
        let (mut dir, mut walked) = (top.map_err(failed("openat2", path))?, PathBuf::new());
        for component in path {
            walked.push(component);
            let name = c_string(component)?;
            dir = match openat(&dir, name.as_c_str(), lookup, Mode::empty()) {
                Err(Errno::ENOENT) => {
                    let made = self.make_one(dir.as_fd(), &name, IMPLIED).map_err(failed("mkdir", &walked))?;
                    fchmod(&made, IMPLIED).map_err(failed("fchmod", &walked))?;
                    self.implied.insert(fstat(&made).map_err(failed("fstat", &walked))?.st_ino);
                    ensure!(
                        self.implied.len() <= IMPLIED_MAX,
                        "too many directories that the archive does not describe"
                    );
                    made
                }
                Err(Errno::ENOTDIR | Errno::ELOOP) if is_whiteout_at(dir.as_fd(), &name) => {
                    let made = self.make_over(dir.as_fd(), &name, IMPLIED).map_err(failed("mkdir", &walked))?;
                    fchmod(&made, IMPLIED).map_err(failed("fchmod", &walked))?;
                    made
                }
                // A symlink, perhaps.
                Err(Errno::ENOTDIR | Errno::ELOOP) => {
                    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
                    let found = self.root.open(&walked, flags, Mode::empty()).map_err(failed("openat2", &walked));
                    found.context("what it is to be in is no directory of this layer")?
                }
                found => found.map_err(failed("openat", &walked))?,
            };
        }
        Ok(dir)
    }

    /// Makes the directory `name`, with this mode less the umask.
    pub(super) fn make_one(&self, dir: BorrowedFd<'_>, name: &CStr, mode: Mode) -> nix::Result<OwnedFd> {
        mkdirat(dir, name, mode)?;
        openat(dir, name, DIRECTORY, Mode::empty())
    }

    /// Makes the directory `name` in place of something else. In place of a deletion, it shows nothing from below.
    pub(super) fn make_over(&mut self, dir: BorrowedFd<'_>, name: &CStr, mode: Mode) -> nix::Result<OwnedFd> {
        let deleted = is_whiteout_at(dir, name);
        self.remove(dir, name)?;
        let made = self.make_one(dir, name, mode)?;
        if deleted {
            self.make_opaque(made.as_fd())?;
        }
        Ok(made)
    }

    /// Hides what the layers below have in `dir`.
    pub(super) fn make_opaque(&self, dir: BorrowedFd<'_>) -> nix::Result<()> {
        set_xattr(dir, overlay::opaque_attribute(self.rootless), b"y")
    }

    /// Notes that a member describes this directory.
    pub(super) fn described(&mut self, dir: BorrowedFd<'_>) -> nix::Result<()> {
        if !self.implied.is_empty() {
            self.implied.remove(&fstat(dir)?.st_ino);
        }
        Ok(())
    }

    /// Makes `name` with `make`; if something has that name, removes it and tries again.
    pub(super) fn replacing<T>(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &CStr,
        make: impl Fn() -> nix::Result<T>,
    ) -> nix::Result<T> {
        match make() {
            Err(Errno::EEXIST) => self.remove(dir, name).and_then(|()| make()),
            done => done,
        }
    }

    /// Removes `name`. A directory must be empty.
    fn remove(&mut self, dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<()> {
        let stat = look(dir, name)?;
        let is_dir = is(&stat, SFlag::S_IFDIR);
        let flags = if is_dir { UnlinkatFlags::RemoveDir } else { UnlinkatFlags::NoRemoveDir };
        unlinkat(dir, name, flags)?;
        // What is kept open may have been found through it, and its inode may be used again.
        self.recent.clear();
        if is_dir {
            self.implied.remove(&stat.st_ino);
        }
        Ok(())
    }

    /// The inodes of the directories that no member described.
    pub(super) fn into_implied(self) -> HashSet<u64> {
        self.implied
    }
}

/// `path`, which is empty for the root, as openat2(2) wants it.
fn or_dot(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

pub(super) fn c_string(name: &OsStr) -> Result<CString> {
    CString::new(name.to_owned().into_vec()).context("the archive has a name with a zero byte in it")
}
