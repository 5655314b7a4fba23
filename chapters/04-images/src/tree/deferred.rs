//! What a layer leaves open until the layers below it are there.
//!
//! Layers are unpacked as they come, in any order, but some of what they say is about what is below:
//!
//! - a file in a directory that no member describes: the directory is what it is below;
//! - a hard link to a file that is only below;
//! - a deletion of all that is below, at the root: overlayfs merges roots in any case, so each name is deleted for itself.

use std::collections::HashSet;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use anyhow::{Context, Result, bail, ensure};
use chroot::inside::Root;
use nix::dir::Type;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, openat};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::{UnlinkatFlags, geteuid, linkat, unlinkat};

use super::attributes::{Attributes, Skipped, set_xattr, xattrs_of};
use super::failed;
use super::listing::{DIRECTORY, entries, is, look};
use super::places::c_string;
use super::stack::Stack;
use super::whiteout::{is_opaque, is_whiteout_at, make_whiteout};
use crate::{overlay, shown_path};

/// The most memory that links to what is below may take.
const LINKS_MAX: usize = 64 << 20;

/// What is still to be taken from the layers below.
#[derive(Debug)]
pub struct Deferred {
    pub(super) rootless: bool,
    /// The inodes of the directories that no member describes.
    pub(super) implied: HashSet<u64>,
    pub(super) root_described: bool,
    pub(super) opaque_root: bool,
    links: Vec<DeferredLink>,
    /// How many bytes `links` takes.
    memory: usize,
}

/// A hard link to what is not in this layer.
#[derive(Debug)]
pub(super) struct DeferredLink {
    pub(super) target: PathBuf,
    pub(super) path: PathBuf,
}

impl Deferred {
    pub(super) fn new(rootless: bool) -> Deferred {
        let (implied, links) = (HashSet::new(), Vec::new());
        Deferred { rootless, implied, root_described: false, opaque_root: false, links, memory: 0 }
    }

    pub(super) fn link_later(&mut self, link: DeferredLink) -> Result<()> {
        self.memory += link.target.as_os_str().len() + link.path.as_os_str().len() + size_of::<DeferredLink>();
        ensure!(self.memory <= LINKS_MAX, "the archive has too many hard links to what is not in it");
        self.links.push(link);
        Ok(())
    }

    /// Takes it from the trees `below`, the bottom one first, into `tree`.
    pub fn settle(mut self, tree: &Path, below: &[PathBuf]) -> Result<()> {
        let nothing = self.implied.is_empty() && self.links.is_empty() && !self.opaque_root && self.root_described;
        if nothing || (below.is_empty() && self.links.is_empty()) {
            return Ok(());
        }
        let top = openat(AT_FDCWD, tree, DIRECTORY, Mode::empty()).map_err(failed("open", tree))?;
        self.link(tree, below)?;
        let mut stack = Stack::open(below.iter())?;
        if self.opaque_root {
            self.delete_all(top.as_fd(), &stack).context("delete what is in the layers below")?;
        }
        if let Some(root) = stack.top().filter(|_| !self.root_described) {
            self.take_over(root, top.as_fd()).context("describe the root of the tree")?;
        }
        if self.opaque_root {
            stack = Stack::open([].iter())?;
        }
        self.describe(&top, stack).context("describe the directories that the layer does not")
    }

    /// Makes the hard links. What they link to is shared between the layers: nothing is ever written to either.
    fn link(&mut self, tree: &Path, below: &[PathBuf]) -> Result<()> {
        let links = std::mem::take(&mut self.links);
        if links.is_empty() {
            return Ok(());
        }
        let own = tree.to_owned();
        let (mut stack, root) = (Stack::open(below.iter().chain([&own]))?, Root::new(tree)?);
        for DeferredLink { target, path } in &links {
            link_one(&mut stack, &root, target, path).with_context(|| format!("unpack {}", shown_path(path)))?;
            stack.leave_all().map_err(failed("openat", path))?;
        }
        Ok(())
    }

    /// Hides each name that is in the root of the layers below.
    fn delete_all(&self, top: BorrowedFd<'_>, below: &Stack) -> nix::Result<()> {
        for name in below.names()? {
            match look(top, &name) {
                Err(Errno::ENOENT) => make_whiteout(top, &name)?,
                Ok(stat) if is(&stat, SFlag::S_IFDIR) => {
                    let dir = openat(top, name.as_c_str(), DIRECTORY, Mode::empty())?;
                    set_xattr(dir.as_fd(), overlay::opaque_attribute(self.rootless), b"y")?;
                }
                found => drop(found?),
            }
        }
        Ok(())
    }

    /// Walks through the tree, and gives each directory that is implied what it is in `below`.
    fn describe(mut self, top: &OwnedFd, mut below: Stack) -> nix::Result<()> {
        let mut here = openat(top, ".", DIRECTORY, Mode::empty())?;
        let mut levels = vec![Level { dirs: dirs(here.as_fd())?, followed: below.top().is_some(), seen: None }];
        while let Some(level) = levels.last_mut() {
            // When the last one is found, the rest of the walk is the way back.
            let next = level.dirs.next().filter(|_| !self.implied.is_empty());
            let followed = level.followed;
            if let Some(name) = next {
                let child = match openat(&here, name.as_c_str(), DIRECTORY, Mode::empty()) {
                    // Ordinary users may have closed it to themselves. Then a member describes it.
                    Err(Errno::EACCES) if !geteuid().is_root() => continue,
                    child => child?,
                };
                levels.push(self.enter(&child, &name, followed, &mut below)?);
                here = child;
                continue;
            }
            let Some(done) = levels.pop() else { break };
            let above = if levels.is_empty() { None } else { Some(openat(&here, "..", DIRECTORY, Mode::empty())?) };
            if let Some(attributes) = done.seen {
                attributes.apply(here.as_fd(), &mut Skipped::default())?;
            }
            let Some(above) = above else { break };
            here = above;
            if done.followed {
                below.leave()?;
            }
        }
        Ok(())
    }

    /// Goes down to `child`, which is called `name`, in the layers below too if they have it and show it.
    fn enter(&mut self, child: &OwnedFd, name: &CString, followed: bool, below: &mut Stack) -> nix::Result<Level> {
        let implied = self.implied.remove(&fstat(child)?.st_ino);
        let mut followed = followed && below.enter(name)?;
        let seen = match below.top().filter(|_| followed && implied) {
            Some(dir) => Some(Attributes::of(&fstat(dir)?, xattrs_of(dir)?)),
            None => None,
        };
        if followed && is_opaque(child.as_fd())? {
            below.leave()?;
            followed = false;
        }
        Ok(Level { dirs: dirs(child.as_fd())?, followed, seen })
    }

    fn take_over(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> nix::Result<()> {
        Ok(Attributes::of(&fstat(from)?, xattrs_of(from)?).apply(to, &mut Skipped::default())?)
    }
}

/// A directory of the walk.
struct Level {
    /// The directories in it that were not walked through yet.
    dirs: IntoIter<CString>,
    /// Whether the layers below have it too.
    followed: bool,
    /// What it is there, if this layer does not say.
    seen: Option<Attributes>,
}

/// Finds `target` in `stack`, and gives it the name `path` in the tree `root`, unless the layer put something else there.
fn link_one(stack: &mut Stack, root: &Root, target: &Path, path: &Path) -> Result<()> {
    for component in target.parent().unwrap_or(Path::new("")) {
        let entered = stack.enter(&c_string(component)?).map_err(failed("openat", target))?;
        ensure!(entered, "a hard link to {}, which is not there", shown_path(target));
    }
    let old = c_string(target.file_name().unwrap_or_default())?;
    let Some((from, stat)) = stack.find(&old).map_err(failed("fstatat", target))? else {
        bail!("a hard link to {}, which is not there", shown_path(target));
    };
    ensure!(!is(&stat, SFlag::S_IFDIR), "a hard link to {}, which is a directory", shown_path(target));
    let (dir, name) = root.parent(path).map_err(failed("openat2", path))?;
    let name = c_string(&name)?;
    if is_whiteout_at(dir.as_fd(), &name) {
        unlinkat(&dir, name.as_c_str(), UnlinkatFlags::NoRemoveDir).map_err(failed("unlink", path))?;
    }
    match linkat(from, old.as_c_str(), &dir, name.as_c_str(), AtFlags::empty()) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(errno) => Err(failed("link", path)(errno)),
    }
}

/// The directories in `dir`.
fn dirs(dir: BorrowedFd<'_>) -> nix::Result<IntoIter<CString>> {
    let mut dirs = Vec::new();
    for (name, kind) in entries(dir)? {
        let is_dir = match kind {
            Some(kind) => kind == Type::Directory,
            None => is(&look(dir, &name)?, SFlag::S_IFDIR),
        };
        if is_dir {
            dirs.push(name);
        }
    }
    Ok(dirs.into_iter())
}
