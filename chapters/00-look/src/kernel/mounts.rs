//! Calls on the mount tree and on the root of a process.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags};

use crate::error::Result;
use crate::tell::told;

/// `mount(2)`: puts a file system, or another view of a directory, on `target`.
///
/// An empty `source`, `fstype` or `data` stands for "none": `mount("", "/", "", MS_REC | MS_PRIVATE, "", …)`
/// only changes how `/` and all below it propagate.
pub fn mount(
    source: impl AsRef<Path>,
    target: impl AsRef<Path>,
    fstype: &str,
    flags: MsFlags,
    data: &str,
    why: &str,
) -> Result<()> {
    let (source, target) = (source.as_ref(), target.as_ref());
    let shown = || shown(source, target, fstype, flags, data);
    told("mount", shown, why, || raw_mount(source, target, fstype, flags, data))
}

/// A mount point that was opened, so that no symlink can lead it elsewhere between the check and the mount.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The directory or file, opened (`O_PATH` is enough).
    pub fd: BorrowedFd<'a>,
    /// The path by which people know it.
    pub name: &'a str,
}

/// [`mount`] on an opened target instead of a path. Needs `/proc`.
pub fn mount_on(
    source: impl AsRef<Path>,
    target: Target<'_>,
    fstype: &str,
    flags: MsFlags,
    data: &str,
    why: &str,
) -> Result<()> {
    let source = source.as_ref();
    let shown = || shown(source, Path::new(target.name), fstype, flags, data);
    told("mount", shown, why, || raw_mount(source, &target.path(), fstype, flags, data))
}

/// [`mount`] of what is opened as `source` (called `name`) on an opened target: a bind of a file or a tree. With
/// the same descriptor for both, the tree becomes a mount of its own, whose attributes can then differ.
pub fn bind_on(source: BorrowedFd<'_>, name: &str, target: Target<'_>, why: &str) -> Result<()> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    let shown = || shown(Path::new(name), Path::new(target.name), "", flags, "");
    let source = Target { fd: source, name };
    told("mount", shown, why, || raw_mount(&source.path(), &target.path(), "", flags, ""))
}

impl Target<'_> {
    /// A path that leads to what is open here, and nowhere else.
    fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.fd.as_raw_fd()).into()
    }
}

fn raw_mount(source: &Path, target: &Path, fstype: &str, flags: MsFlags, data: &str) -> nix::Result<()> {
    nix::mount::mount(
        Some(source).filter(|s| !s.as_os_str().is_empty()),
        target,
        Some(fstype).filter(|s| !s.is_empty()),
        flags,
        Some(data).filter(|s| !s.is_empty()),
    )
}

/// `proc on /proc (nosuid,nodev,noexec)`, as `mount` the program would print it.
fn shown(source: &Path, target: &Path, fstype: &str, flags: MsFlags, data: &str) -> String {
    let what = match fstype {
        "" if source.as_os_str().is_empty() => String::new(),
        "" => format!("{} on ", source.display()),
        kind => format!("{kind} on "),
    };
    let mut options: Vec<String> =
        FLAG_NAMES.iter().filter(|(f, _)| flags.contains(*f)).map(|(_, n)| n.to_string()).collect();
    if !data.is_empty() {
        options.push(data.to_owned());
    }
    let options = if options.is_empty() { String::new() } else { format!(" ({})", options.join(",")) };
    format!("{what}{}{options}", target.display())
}

const FLAG_NAMES: [(MsFlags, &str); 11] = [
    (MsFlags::MS_BIND, "bind"),
    (MsFlags::MS_REC, "rec"),
    (MsFlags::MS_REMOUNT, "remount"),
    (MsFlags::MS_PRIVATE, "private"),
    (MsFlags::MS_SLAVE, "slave"),
    (MsFlags::MS_SHARED, "shared"),
    (MsFlags::MS_RDONLY, "ro"),
    (MsFlags::MS_NOSUID, "nosuid"),
    (MsFlags::MS_NODEV, "nodev"),
    (MsFlags::MS_NOEXEC, "noexec"),
    (MsFlags::MS_NOATIME, "noatime"),
];

/// `umount2(2)`: takes away the topmost mount on `target`; with `MNT_DETACH` also while it is in use.
pub fn umount(target: impl AsRef<Path>, flags: MntFlags, why: &str) -> Result<()> {
    let target = target.as_ref();
    told("umount2", || target.display().to_string(), why, || nix::mount::umount2(target, flags))
}

/// `pivot_root(2)`: makes the mount at `new_root` the root of this mount namespace, and moves the old root to
/// `put_old`. Both may be `.`: the old root then lies on top of the new one until it is unmounted.
pub fn pivot_root(new_root: impl AsRef<Path>, put_old: impl AsRef<Path>, why: &str) -> Result<()> {
    let (new_root, put_old) = (new_root.as_ref(), put_old.as_ref());
    let shown = || format!("{} → / , / → {}", new_root.display(), put_old.display());
    told("pivot_root", shown, why, || nix::unistd::pivot_root(new_root, put_old))
}

/// `chroot(2)`: makes `root` the place where this process's path look-ups start. Nothing else changes: not the
/// working directory, not the mounts, not the descriptors that are open.
pub fn chroot(root: impl AsRef<Path>, why: &str) -> Result<()> {
    let root = root.as_ref();
    told("chroot", || root.display().to_string(), why, || nix::unistd::chroot(root))
}

/// `mount_setattr(2)` with `AT_RECURSIVE` (Linux 5.12): nothing can be written through an opened mount and every mount
/// below it, at once.
pub fn mount_read_only(target: Target<'_>, why: &str) -> Result<()> {
    let shown = || format!("{} (rec,ro)", target.name);
    told("mount_setattr", shown, why, || set_attribute(target, libc::MOUNT_ATTR_RDONLY, libc::AT_RECURSIVE))
}

/// `mount_setattr(2)`: device nodes do not open through an opened mount. What else it forbids stays forbidden, which a
/// remount would undo.
pub fn mount_no_devices(target: Target<'_>, why: &str) -> Result<()> {
    let shown = || format!("{} (nodev)", target.name);
    told("mount_setattr", shown, why, || set_attribute(target, libc::MOUNT_ATTR_NODEV, 0))
}

fn set_attribute(target: Target<'_>, attribute: u64, flags: i32) -> nix::Result<()> {
    let attributes = libc::mount_attr { attr_set: attribute, attr_clr: 0, propagation: 0, userns_fd: 0 };
    // SAFETY: the path is a NUL-terminated literal and the size is that of the structure passed.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            target.fd.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    Errno::result(answer).map(drop)
}
