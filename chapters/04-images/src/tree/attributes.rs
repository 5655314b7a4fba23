//! What a file is besides its content: owner, mode, time, extended attributes.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

use look::Error;
use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::stat::{FchmodatFlags, FileStat, Mode, UtimensatFlags, fchmod, fchmodat, fstat, futimens, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchown, fchownat, geteuid};

use crate::{shown, shown_path};

type Result<T> = std::result::Result<T, NotApplied>;

/// The kernel's limit on a value, and on a list of names (limits.h, `XATTR_SIZE_MAX` and `XATTR_LIST_MAX`).
pub(crate) const XATTR_MAX: usize = 64 << 10;
/// The kernel's limit on a name (limits.h, `XATTR_NAME_MAX`).
pub(crate) const XATTR_NAME_MAX: usize = 255;

/// Extended attributes: names and values.
pub type Xattrs = Vec<(CString, Vec<u8>)>;

/// What is given to a file after it was made.
#[derive(Debug, Clone)]
pub struct Attributes {
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The twelve bits of permissions.
    pub mode: u32,
    /// When its contents changed.
    pub mtime: TimeSpec,
    /// Extended attributes.
    pub xattrs: Xattrs,
}

/// What was skipped, because whoever makes the files may not do all that root may.
#[derive(Debug, Default)]
pub struct Skipped {
    /// How many device nodes were not made.
    pub devices: u64,
    /// How many files do not belong to their owner.
    pub owners: u64,
    /// How many extended attributes were not set.
    pub xattrs: u64,
}

/// Why a file could not be given what it should have.
#[derive(Debug)]
pub(crate) struct NotApplied {
    /// The extended attribute that it failed with, if it was one.
    xattr: Option<CString>,
    errno: Errno,
}

impl NotApplied {
    /// The error of the file at `path`.
    pub(super) fn at(self, path: &Path) -> anyhow::Error {
        let path = shown_path(path);
        match self.xattr {
            Some(name) => Error::call("fsetxattr", format!("{} of {path}", shown(name.to_bytes())), self.errno).into(),
            None => Error::call("change", path, self.errno).into(),
        }
    }
}

impl From<Errno> for NotApplied {
    fn from(errno: Errno) -> NotApplied {
        NotApplied { xattr: None, errno }
    }
}

impl From<NotApplied> for Errno {
    fn from(error: NotApplied) -> Errno {
        error.errno
    }
}

impl Attributes {
    /// What a file has, with these extended attributes.
    pub fn of(stat: &FileStat, xattrs: Xattrs) -> Attributes {
        let mtime = TimeSpec::new(stat.st_mtime, stat.st_mtime_nsec);
        Attributes { uid: stat.st_uid, gid: stat.st_gid, mode: stat.st_mode & 0o7777, mtime, xattrs }
    }

    /// Gives all of it to an open file or directory.
    pub(super) fn apply(&self, file: BorrowedFd<'_>, skipped: &mut Skipped) -> Result<()> {
        let stat = fstat(file)?;
        if self.change_owner(file, &stat, skipped)? || stat.st_mode & 0o7777 != self.mode {
            fchmod(file, Mode::from_bits_truncate(self.mode))?;
        }
        Ok(futimens(file, &TimeSpec::UTIME_OMIT, &self.mtime)?)
    }

    /// The owner and the extended attributes.
    pub(super) fn apply_owner(&self, file: BorrowedFd<'_>, skipped: &mut Skipped) -> Result<()> {
        self.change_owner(file, &fstat(file)?, skipped).map(drop)
    }

    /// The same for a file that is as `stat` says, which is mostly right: looking costs less than changing. In this
    /// order: a change of owner takes `security.capability` away. Says whether the owner was changed.
    fn change_owner(&self, file: BorrowedFd<'_>, stat: &FileStat, skipped: &mut Skipped) -> Result<bool> {
        let is_new = (stat.st_uid, stat.st_gid) != (self.uid, self.gid);
        if is_new {
            self.give_away(skipped, |uid, gid| fchown(file, uid, gid))?;
        }
        for (name, value) in &self.xattrs {
            match set_xattr(file, name, value) {
                Err(Errno::EPERM | Errno::EOPNOTSUPP) => skipped.xattrs += 1,
                done => done.map_err(|errno| NotApplied { xattr: Some(name.clone()), errno })?,
            }
        }
        Ok(is_new)
    }

    /// The mode and the time. After the owner, since a change of owner takes the setuid bit away; and last of all,
    /// since a mode may lock even its owner out.
    pub(super) fn apply_mode(&self, file: BorrowedFd<'_>) -> nix::Result<()> {
        fchmod(file, Mode::from_bits_truncate(self.mode))?;
        futimens(file, &TimeSpec::UTIME_OMIT, &self.mtime)
    }

    /// Gives what a symlink can have to the symlink `name`.
    pub(super) fn apply_to_symlink(&self, dir: BorrowedFd<'_>, name: &CStr, skipped: &mut Skipped) -> nix::Result<()> {
        self.give_away(skipped, |uid, gid| fchownat(dir, name, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW))?;
        utimensat(dir, name, &TimeSpec::UTIME_OMIT, &self.mtime, UtimensatFlags::NoFollowSymlink)
    }

    /// Gives what a device or fifo can have to `name`, which was just made in a directory of ours: opening it
    /// would be more than looking at it.
    pub(super) fn apply_to_node(&self, dir: BorrowedFd<'_>, name: &CStr, skipped: &mut Skipped) -> nix::Result<()> {
        self.apply_to_symlink(dir, name, skipped)?;
        fchmodat(dir, name, Mode::from_bits_truncate(self.mode), FchmodatFlags::FollowSymlink)
    }

    /// Changes the owner with `chown`. Only root gives files to others: what an ordinary user makes is the user's,
    /// and in the user's containers that user is root. Root of a container or user namespace may lack the right
    /// (`EPERM`), or the ids may not exist there (`EINVAL`).
    fn give_away(
        &self,
        skipped: &mut Skipped,
        chown: impl FnOnce(Option<Uid>, Option<Gid>) -> nix::Result<()>,
    ) -> nix::Result<()> {
        if !geteuid().is_root() {
            let becomes_ours = self.uid != 0 && self.uid != geteuid().as_raw();
            skipped.owners += u64::from(becomes_ours);
            return Ok(());
        }
        match chown(Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid))) {
            Err(Errno::EPERM | Errno::EINVAL) => skipped.owners += 1,
            done => done?,
        }
        Ok(())
    }
}

impl Skipped {
    /// One sentence for each kind of thing that was skipped.
    pub fn warnings(&self) -> Vec<String> {
        let kinds = [
            (self.devices, "device node(s), which only root can make"),
            (
                self.owners,
                "owner(s) that you cannot give files to: those files are yours, and root's in your containers",
            ),
            (self.xattrs, "extended attribute(s) that cannot be set here"),
        ];
        kinds
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("left out {count} {what}"))
            .collect()
    }
}

/// Whether an attribute belongs to the file rather than to the machine it was on. Overlay's own are kept out
/// above all: on a lower layer they would change what the container sees.
pub(crate) fn is_kept(name: &[u8]) -> bool {
    name == b"security.capability" || (name.starts_with(b"user.") && !name.starts_with(b"user.overlay."))
}

pub(super) fn set_xattr(file: BorrowedFd<'_>, name: &CStr, value: &[u8]) -> nix::Result<()> {
    // SAFETY: the name is NUL-terminated, and the value is as long as is said.
    let done = unsafe { libc::fsetxattr(file.as_raw_fd(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    Errno::result(done).map(drop)
}

/// Whether an open file has this attribute.
pub(super) fn has_xattr(file: BorrowedFd<'_>, name: &CStr) -> nix::Result<bool> {
    // SAFETY: the name is NUL-terminated, and into a buffer without a length nothing is written.
    let length = unsafe { libc::fgetxattr(file.as_raw_fd(), name.as_ptr(), std::ptr::null_mut(), 0) };
    match Errno::result(length) {
        Ok(_) => Ok(true),
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// The attributes of an open file that are kept.
pub fn xattrs_of(file: BorrowedFd<'_>) -> nix::Result<Xattrs> {
    let list = |buffer: &mut [u8]| {
        // SAFETY: the kernel writes at most as much as the buffer is long; into an empty one, nothing.
        let length = unsafe { libc::flistxattr(file.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        match Errno::result(length) {
            Err(Errno::EOPNOTSUPP) => Ok(0),
            length => length.map(|length| length as usize),
        }
    };
    if list(&mut [])? == 0 {
        return Ok(Vec::new());
    }
    let mut buffer = vec![0u8; XATTR_MAX];
    let length = list(&mut buffer)?;
    let names = buffer[..length].split_inclusive(|b| *b == 0).filter_map(|name| CStr::from_bytes_with_nul(name).ok());
    let names: Vec<CString> = names.filter(|name| is_kept(name.to_bytes())).map(CStr::to_owned).collect();
    let mut xattrs = Vec::new();
    for name in names {
        // SAFETY: as above, and the name is NUL-terminated.
        let length =
            unsafe { libc::fgetxattr(file.as_raw_fd(), name.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
        let length = Errno::result(length)? as usize;
        xattrs.push((name, buffer[..length].to_vec()));
    }
    Ok(xattrs)
}
