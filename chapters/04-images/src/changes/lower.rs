//! What is below a layer: whether the layers under it have something, and what it is there.

use std::ffi::{CString, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag};

use super::failed;
use crate::tree::{Stack, Xattrs, is, xattrs_of};

/// The layers below, seen as one.
pub struct Lower {
    stack: Stack,
    /// The directory that was looked at last.
    here: Vec<OsString>,
}

impl Lower {
    /// Of the unpacked `layers`, bottom first, in which nothing may change.
    pub fn open(layers: &[PathBuf]) -> Result<Lower> {
        Ok(Lower { stack: Stack::open(layers.iter())?, here: Vec::new() })
    }

    /// What is at `path`, from the root. It costs least to ask in the order of a walk.
    pub fn find(&mut self, path: &Path) -> Result<Option<FileStat>> {
        let name = c_string(path)?;
        if !self.enter(path.parent().unwrap_or(Path::new("")))? {
            return Ok(None);
        }
        Ok(self.stack.find(&name).map_err(failed("fstatat"))?.map(|(_, stat)| stat))
    }

    /// The extended attributes of the file or directory at `path`; none, if it is neither.
    pub(super) fn xattrs(&mut self, path: &Path) -> Result<Xattrs> {
        let name = c_string(path)?;
        if !self.enter(path.parent().unwrap_or(Path::new("")))? {
            return Ok(Vec::new());
        }
        let Some((dir, stat)) = self.stack.find(&name).map_err(failed("fstatat"))? else { return Ok(Vec::new()) };
        if !is(&stat, SFlag::S_IFREG) && !is(&stat, SFlag::S_IFDIR) {
            return Ok(Vec::new());
        }
        let file = openat(dir, name.as_c_str(), OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty());
        xattrs_of(file.map_err(failed("openat"))?.as_fd()).map_err(failed("flistxattr"))
    }

    /// The names in the directory `path`; none, if there is no such directory.
    pub fn names(&mut self, path: &Path) -> Result<Vec<CString>> {
        if !self.enter(path)? {
            return Ok(Vec::new());
        }
        self.stack.names().map_err(failed("readdir"))
    }

    /// Goes to the directory `path`, or as near as there is one on the way there, and says whether it got there.
    fn enter(&mut self, path: &Path) -> Result<bool> {
        let common = path.iter().zip(&self.here).take_while(|(wanted, here)| wanted == here).count();
        while self.here.len() > common {
            self.stack.leave().map_err(failed("openat"))?;
            self.here.pop();
        }
        for component in path.iter().skip(common) {
            let is_name = matches!(Path::new(component).components().next(), Some(Component::Normal(_)));
            let entered = is_name
                && match self.stack.enter(&c_string(Path::new(component))?) {
                    // There can be no name as long as this.
                    Err(Errno::ENAMETOOLONG) => false,
                    entered => entered.map_err(failed("openat"))?,
                };
            if !entered {
                return Ok(false);
            }
            self.here.push(component.to_owned());
        }
        Ok(true)
    }
}

fn c_string(path: &Path) -> Result<CString> {
    CString::new(path.file_name().unwrap_or_default().as_bytes()).context("a name with a zero byte in it")
}
