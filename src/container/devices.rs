//! `/proc`, `/sys` and `/dev`: the directories that are not files but the kernel's counters.
//!
//! Their mount points come from the image, so they are opened from inside its root and without following any
//! symlink: an image whose `/proc` is a symlink is refused, rather than mounted wherever it points.

use std::os::fd::{AsFd, OwnedFd};

use anyhow::{Context, Result};
use chroot::inside::Root;
use look::Error;
use look::kernel::{self, MsFlags, Target};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

const NOTHING_SPECIAL: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

/// Mounts them in `root`. As an ordinary user (`rootless`) what cannot be made is borrowed from the host.
pub fn populate(root: &Root, rootless: bool) -> Result<()> {
    proc(root)?;
    sys(root, rootless)?;
    dev(root, rootless)
}

fn proc(root: &Root) -> Result<()> {
    let proc = mount_point(root, "proc")?;
    let why = "shows the processes of the PID namespace of whoever mounts it: this one's";
    kernel::mount_on("proc", target(&proc, "/proc"), "proc", NOTHING_SPECIAL, "", why)?;
    // Written by user 0, these change the whole machine, whatever capabilities are missing.
    for name in ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"] {
        let Ok(path) = open(root, name, OFlag::O_PATH) else { continue };
        kernel::bind_on(path.as_fd(), name, target(&path, name), "a mount of its own, so that it can be read-only")?;
        let covered = open(root, name, OFlag::O_PATH)?;
        kernel::mount_read_only(target(&covered, name), "settings of the machine, not of the container")?;
    }
    Ok(())
}

fn sys(root: &Root, rootless: bool) -> Result<()> {
    let sys = mount_point(root, "sys")?;
    if !rootless {
        let flags = NOTHING_SPECIAL | MsFlags::MS_RDONLY;
        kernel::mount_on("sysfs", target(&sys, "/sys"), "sysfs", flags, "", "the kernel's devices, to look at")?;
        return Ok(());
    }
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    let why = "a new sysfs needs a network namespace of one's own, so the host's is borrowed";
    kernel::mount_on("/sys", target(&sys, "/sys"), "", bind, "", why)?;
    let covered = open(root, "/sys", OFlag::O_PATH)?;
    kernel::mount_read_only(target(&covered, "/sys"), "and only to look at")?;
    Ok(())
}

fn dev(root: &Root, rootless: bool) -> Result<()> {
    let below = mount_point(root, "dev")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_STRICTATIME;
    kernel::mount_on(
        "tmpfs",
        target(&below, "/dev"),
        "tmpfs",
        flags,
        "mode=755,size=64k",
        "a /dev with nothing in it yet",
    )?;
    let dev = open(root, "/dev", OFlag::O_DIRECTORY)?;
    for (name, major, minor) in NODES {
        node(root, &dev, name, (major, minor), rootless)?;
    }
    for (name, to) in LINKS {
        kernel::symlink(to, dev.as_fd(), name, "where programs expect it")?;
    }
    let shm = "mode=1777,size=64m";
    // In a user namespace with a single group, group 5 (tty) cannot be given to anything.
    let pts = if rootless { "newinstance,ptmxmode=0666,mode=620" } else { "newinstance,ptmxmode=0666,mode=620,gid=5" };
    for (name, kind, flags, data, why) in [
        ("pts", "devpts", MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC, pts, "terminals of its own"),
        ("shm", "tmpfs", NOTHING_SPECIAL, shm, "POSIX shared memory"),
        ("mqueue", "mqueue", NOTHING_SPECIAL, "", "POSIX message queues of its own IPC namespace"),
    ] {
        kernel::mkdir(dev.as_fd(), name, 0o755, "a mount point")?;
        let path = format!("/dev/{name}");
        let point = open(root, &path, OFlag::O_PATH)?;
        kernel::mount_on(kind, target(&point, &path), kind, flags, data, why)?;
    }
    Ok(())
}

/// The devices that every program may count on, with their numbers (the kernel's admin-guide/devices.txt).
const NODES: [(&str, u64, u64); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Root makes a device node; an ordinary user may not, and mounts the host's on an empty file.
fn node(root: &Root, dev: &OwnedFd, name: &str, number: (u64, u64), rootless: bool) -> Result<()> {
    if !rootless {
        kernel::mknod(dev.as_fd(), name, Some(number), 0o666, "a device that every program may use")?;
        return Ok(());
    }
    kernel::mknod(dev.as_fd(), name, None, 0o666, "a file to mount the host's device on")?;
    let path = format!("/dev/{name}");
    let file = open(root, &path, OFlag::O_PATH)?;
    let why = "an ordinary user may not make device nodes";
    kernel::mount_on(&path, target(&file, &path), "", MsFlags::MS_BIND, "", why)?;
    Ok(())
}

/// Opens a directory at the top of the image, and makes it if the image lacks it.
fn mount_point(root: &Root, name: &str) -> Result<OwnedFd> {
    let look = || root.open_no_symlinks(name, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty());
    let mut opened = look();
    if let Err(Errno::ENOENT) = opened {
        kernel::mkdir(root.as_fd(), name, 0o755, "the image has no such directory")?;
        opened = look();
    }
    opened
        .map_err(|errno| Error::call("open", format!("/{name}"), errno))
        .with_context(|| format!("the image's /{name} must be a directory, to be mounted on"))
}

/// Opens what is at `path` now, under all mounts made so far.
fn open(root: &Root, path: &str, flags: OFlag) -> look::Result<OwnedFd> {
    root.open_no_symlinks(path, flags, Mode::empty()).map_err(|errno| Error::call("open", path, errno))
}

fn target<'a>(fd: &'a OwnedFd, name: &'a str) -> Target<'a> {
    Target { fd: fd.as_fd(), name }
}
