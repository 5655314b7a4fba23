//! How overlayfs has a deletion on disk, and a directory that shows nothing from below.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use nix::sys::stat::{FileStat, Mode, SFlag, mknodat};

use super::attributes::has_xattr;
use super::listing::{is, look};
use crate::overlay;

/// Makes the note that overlayfs takes for a deletion: a character device with the number 0/0. Anybody may make
/// this one, since Linux 5.8.
pub(super) fn make_whiteout(dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<()> {
    mknodat(dir, name, SFlag::S_IFCHR, Mode::empty(), 0)
}

/// Whether `stat` is that of such a note.
pub(super) fn is_whiteout(stat: &FileStat) -> bool {
    is(stat, SFlag::S_IFCHR) && stat.st_rdev == 0
}

/// Whether `name` is such a note.
pub(super) fn is_whiteout_at(dir: BorrowedFd<'_>, name: &CStr) -> bool {
    look(dir, name).is_ok_and(|stat| is_whiteout(&stat))
}

/// Whether the directory `dir` of a layer hides what is in it below.
pub(crate) fn is_opaque(dir: BorrowedFd<'_>) -> nix::Result<bool> {
    Ok(has_xattr(dir, overlay::opaque_attribute(true))? || has_xattr(dir, overlay::opaque_attribute(false))?)
}
