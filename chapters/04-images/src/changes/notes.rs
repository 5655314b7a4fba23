//! The notes that overlayfs keeps in an upper directory, as extended attributes.
//!
//! Root's are called `trusted.overlay.*`, which nobody in a container can write; those of an ordinary user's overlay
//! `user.overlay.*`. Only the right ones are read: in root's overlay, the others are whatever a container wrote.
//!
//! Source: the kernel's Documentation/filesystems/overlayfs.rst.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

use anyhow::{Result, bail};
use look::Error;
use nix::errno::Errno;
use nix::sys::stat::FileStat;

/// What the notes are called.
#[derive(Debug)]
pub(super) struct Notes {
    opaque: &'static CStr,
    redirect: &'static CStr,
    metacopy: &'static CStr,
    whiteout: &'static CStr,
}

impl Notes {
    pub(super) fn of(rootless: bool) -> Notes {
        if rootless {
            Notes {
                opaque: c"user.overlay.opaque",
                redirect: c"user.overlay.redirect",
                metacopy: c"user.overlay.metacopy",
                whiteout: c"user.overlay.whiteout",
            }
        } else {
            Notes {
                opaque: c"trusted.overlay.opaque",
                redirect: c"trusted.overlay.redirect",
                metacopy: c"trusted.overlay.metacopy",
                whiteout: c"trusted.overlay.whiteout",
            }
        }
    }

    /// Whether the directory `dir` shows nothing from below.
    pub(super) fn opaque(&self, dir: BorrowedFd<'_>) -> Result<bool> {
        if read(dir, self.redirect)?.is_some() {
            bail!(
                "this directory was renamed by an overlay with redirect_dir=on, and shows what is elsewhere\n  help: a \
                 layer can be made only of an overlay with redirect_dir=off, as tinbox mounts them"
            );
        }
        Ok(read(dir, self.opaque)?.is_some_and(|value| value == b'y'))
    }

    /// Whether `file` stands for a deletion: since Linux 6.7, an empty file with a note may do so, too.
    pub(super) fn whiteout(&self, file: BorrowedFd<'_>, stat: &FileStat) -> Result<bool> {
        if read(file, self.metacopy)?.is_some() {
            bail!(
                "an overlay with metacopy=on copied what is said about this file, and not its content\n  help: a layer \
                 can be made only of an overlay with metacopy=off, as tinbox mounts them"
            );
        }
        Ok(stat.st_size == 0 && read(file, self.whiteout)?.is_some())
    }
}

/// The first byte of the note `name` (zero, if it is empty), if there is one.
fn read(file: BorrowedFd<'_>, name: &CStr) -> Result<Option<u8>> {
    // More than any of these notes may have; a path in `redirect` may be longer, and is there all the same.
    let mut value = [0_u8; 256];
    // SAFETY: the name is NUL-terminated, and the kernel writes at most as much as the buffer is long.
    let length = unsafe { libc::fgetxattr(file.as_raw_fd(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    match Errno::result(length) {
        Ok(_) | Err(Errno::ERANGE) => Ok(Some(value[0])),
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(None),
        Err(errno) => Err(Error::call("fgetxattr", name.to_string_lossy(), errno).into()),
    }
}
