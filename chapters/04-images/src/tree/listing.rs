//! What is in a directory, and what kind of thing each is.

use std::ffi::{CStr, CString};
use std::os::fd::BorrowedFd;

use nix::dir::{Dir, Type};
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstatat};

/// Opens a directory itself, for reading what is in it and changing what it has.
pub(crate) const DIRECTORY: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// What `name` itself is, not what it leads to.
pub(super) fn look(dir: BorrowedFd<'_>, name: &CStr) -> nix::Result<FileStat> {
    fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)
}

/// Whether `stat` is that of a `kind` of file: one of the `S_IF*`.
pub fn is(stat: &FileStat, kind: SFlag) -> bool {
    kind_of(stat) == kind
}

/// What kind of file `stat` is that of: one of the `S_IF*`.
pub fn kind_of(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

/// The names in the directory `dir`, without `.` and `..`, in the order of the file system.
pub fn names(dir: BorrowedFd<'_>) -> nix::Result<Vec<CString>> {
    Ok(entries(dir)?.into_iter().map(|(name, _)| name).collect())
}

/// What is in the directory `dir`, with what the listing says it is; some file systems do not say.
pub(super) fn entries(dir: BorrowedFd<'_>) -> nix::Result<Vec<(CString, Option<Type>)>> {
    let mut listing = Dir::from_fd(openat(dir, ".", DIRECTORY, Mode::empty())?)?;
    let entries = listing.iter().map(|entry| entry.map(|entry| (entry.file_name().to_owned(), entry.file_type())));
    entries.filter(|entry| !matches!(entry, Ok((name, _)) if matches!(name.to_bytes(), b"." | b".."))).collect()
}
