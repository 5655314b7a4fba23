//! Removing a tree that somebody else filled.
//!
//! What a container or an archive left may be nested deeper than a path is long or than there are descriptors to
//! hold open, and may have directories that even their owner cannot write to. So this goes down and up again by
//! one descriptor, and never by a path.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use look::Result;
use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::failed;

/// Removes `path`, which may be a directory with anything in it, a file, or missing.
///
/// Symlinks are removed, not followed. Other file systems mounted inside make it fail (`EBUSY`): unmount first.
pub fn remove_tree(path: &Path) -> Result<()> {
    match unlinkat(AT_FDCWD, path, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => return Ok(()),
        Err(Errno::EISDIR) => {}
        Err(errno) => return Err(failed("unlink", path)(errno)),
    }
    empty(path).and_then(|()| unlinkat(AT_FDCWD, path, UnlinkatFlags::RemoveDir)).map_err(failed("rmdir", path))
}

/// Removes everything in the directory `top`.
fn empty(top: &Path) -> nix::Result<()> {
    let mut here = open_dir(AT_FDCWD, top)?;
    let mut names: Vec<CString> = Vec::new();
    loop {
        if let Some(child) = remove_until_full_dir(here.as_fd())? {
            here = open_dir(here.as_fd(), child.as_c_str())?;
            names.push(child);
        } else if let Some(name) = names.pop() {
            here = leave(&here, &name)?.ok_or(Errno::ENOTEMPTY)?;
            // Often that was the last thing in its directory, which then need not be listed once more.
            while let Some(name) = names.last()
                && let Some(parent) = leave(&here, name)?
            {
                names.pop();
                here = parent;
            }
        } else {
            return Ok(());
        }
    }
}

/// Goes up from `here`, which is called `name` there, and removes it. `None` if there is something in it.
fn leave(here: &OwnedFd, name: &CStr) -> nix::Result<Option<OwnedFd>> {
    let parent = openat(here, "..", OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    match unlinkat(&parent, name, UnlinkatFlags::RemoveDir) {
        Ok(()) => Ok(Some(parent)),
        Err(Errno::ENOTEMPTY | Errno::EEXIST) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Removes what is in `dir` up to the first directory that is not empty, which it returns.
fn remove_until_full_dir(dir: BorrowedFd<'_>) -> nix::Result<Option<CString>> {
    let listing = openat(dir, ".", OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    for entry in Dir::from_fd(listing)?.iter() {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let flags = match entry.file_type() {
            Some(Type::Directory) => UnlinkatFlags::RemoveDir,
            _ => UnlinkatFlags::NoRemoveDir,
        };
        match unlinkat(dir, name, flags) {
            Ok(()) | Err(Errno::ENOENT) => {}
            // Not every file system says in its listing what is a directory.
            Err(Errno::ENOTEMPTY | Errno::EEXIST | Errno::EISDIR) => return Ok(Some(name.to_owned())),
            Err(errno) => return Err(errno),
        }
    }
    Ok(None)
}

/// Opens a directory so that what is in it can be removed, giving its owner the right to if need be.
fn open_dir<P: nix::NixPath + ?Sized>(parent: BorrowedFd<'_>, name: &P) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    if !nix::unistd::geteuid().is_root() {
        // It was a directory a moment ago, and nobody else works in what is being removed.
        fchmodat(parent, name, Mode::S_IRWXU, FchmodatFlags::FollowSymlink)?;
    }
    openat(parent, name, flags, Mode::empty())
}
