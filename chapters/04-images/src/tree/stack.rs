//! Several layers, seen as one without mounting them.
//!
//! Each layer is followed by one descriptor, as deep as it has the directory that is looked at. So there are as many
//! open descriptors as layers, however deep the path is. On the way back up, `..` leads to the same directories again:
//! these are trees of the store, in which nothing changes.

use std::collections::HashSet;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use look::Result;
use nix::dir::Type;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, openat};
use nix::sys::stat::{FileStat, Mode};

use super::listing::{DIRECTORY, entries, look};
use super::whiteout::{is_opaque, is_whiteout, is_whiteout_at};
use crate::failed;

/// A directory in all the layers of a stack at once.
#[derive(Debug)]
pub struct Stack {
    /// The top layer first.
    layers: Vec<Cursor>,
    depth: usize,
}

/// Where one layer is followed to.
#[derive(Debug)]
struct Cursor {
    dir: OwnedFd,
    depth: usize,
}

impl Stack {
    /// The roots of `trees`, the bottom one first.
    pub fn open<'a>(trees: impl DoubleEndedIterator<Item = &'a PathBuf>) -> Result<Stack> {
        let open = |tree: &Path| openat(AT_FDCWD, tree, DIRECTORY, Mode::empty()).map_err(failed("open", tree));
        let layers = trees.rev().map(|tree| Ok(Cursor { dir: open(tree)?, depth: 0 })).collect::<Result<_>>()?;
        Ok(Stack { layers, depth: 0 })
    }

    /// Where the directory that is looked at is, in the layers that have it, the top one first.
    fn here(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.layers.iter().filter(|layer| layer.depth == self.depth).map(|layer| layer.dir.as_fd())
    }

    /// The directory in the highest layer that has it: this one's owner and mode are seen.
    pub(crate) fn top(&self) -> Option<BorrowedFd<'_>> {
        self.here().next()
    }

    /// What `name` is here, and the directory of the layer that has it.
    pub(crate) fn find(&self, name: &CStr) -> nix::Result<Option<(BorrowedFd<'_>, FileStat)>> {
        Ok(self.find_in(name)?.map(|(layer, stat)| (self.layers[layer].dir.as_fd(), stat)))
    }

    /// What `name` is here, and which layer has it: 0 is the bottom one.
    pub fn seen(&self, name: &CStr) -> nix::Result<Option<(usize, FileStat)>> {
        Ok(self.find_in(name)?.map(|(layer, stat)| (self.layers.len() - 1 - layer, stat)))
    }

    fn find_in(&self, name: &CStr) -> nix::Result<Option<(usize, FileStat)>> {
        let here = self.layers.iter().enumerate().filter(|(_, layer)| layer.depth == self.depth);
        for (at, layer) in here {
            match look(layer.dir.as_fd(), name) {
                Err(Errno::ENOENT) => {}
                Ok(stat) if is_whiteout(&stat) => return Ok(None),
                found => return found.map(|stat| Some((at, stat))),
            }
        }
        Ok(None)
    }

    /// Goes to the directory `name` in this one. `false` if there is none; nothing has changed then.
    pub fn enter(&mut self, name: &CStr) -> nix::Result<bool> {
        let mut entered = false;
        for layer in self.layers.iter_mut().filter(|layer| layer.depth == self.depth) {
            match openat(&layer.dir, name, DIRECTORY, Mode::empty()) {
                Err(Errno::ENOENT) => {}
                // Something else, which hides what is below.
                Err(Errno::ENOTDIR | Errno::ELOOP) => break,
                found => {
                    *layer = Cursor { dir: found?, depth: self.depth + 1 };
                    entered = true;
                    if is_opaque(layer.dir.as_fd())? {
                        break;
                    }
                }
            }
        }
        self.depth += usize::from(entered);
        Ok(entered)
    }

    /// Goes back to the directory above.
    pub fn leave(&mut self) -> nix::Result<()> {
        for layer in self.layers.iter_mut().filter(|layer| layer.depth == self.depth) {
            let above = openat(&layer.dir, "..", DIRECTORY, Mode::empty())?;
            *layer = Cursor { dir: above, depth: self.depth - 1 };
        }
        self.depth -= 1;
        Ok(())
    }

    /// Goes back to the root.
    pub(crate) fn leave_all(&mut self) -> nix::Result<()> {
        (0..self.depth).try_for_each(|_| self.leave())
    }

    /// The names of what is seen here.
    pub fn names(&self) -> nix::Result<Vec<CString>> {
        let (mut seen, mut names) = (HashSet::new(), Vec::new());
        for dir in self.here() {
            for (name, kind) in entries(dir)? {
                if !seen.insert(name.clone()) {
                    continue;
                }
                let may_be_whiteout = matches!(kind, None | Some(Type::CharacterDevice));
                if !(may_be_whiteout && is_whiteout_at(dir, &name)) {
                    names.push(name);
                }
            }
        }
        names.sort();
        Ok(names)
    }
}
