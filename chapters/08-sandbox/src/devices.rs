//! A `/dev` from scratch: the devices that every program may count on, and those that were asked for.
//!
//! It is a tmpfs on the image's `/dev`, which is opened without following any symlink. Whatever the image has
//! there is never looked at.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use cgroups::devices::{Device, Kind, MKNOD, Node, READ, WRITE};
use chroot::inside::Root;
use look::kernel::{self, MsFlags, Target};
use look::{Error, Result};
use namespaces::mount_point;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use crate::filesystems::{NOTHING_SPECIAL, open, target};

/// What a container shares besides an IPC namespace, which is about both: shared memory and message queues.
#[derive(Debug)]
pub struct Memory([Option<OwnedFd>; 2]);

/// Where they are in `/dev`.
const MEMORY: [&str; 2] = ["shm", "mqueue"];

impl Memory {
    /// Those of `root`, as far as it has them. This process must be in the mount namespace of `root`, and may leave it
    /// then.
    pub fn of(root: &Root) -> Result<Memory> {
        let copy = |name: &str| {
            let path = format!("/dev/{name}");
            match open(root, &path, OFlag::O_PATH | OFlag::O_DIRECTORY) {
                Err(error) if error.errno() == Some(Errno::ENOENT) => Ok(None),
                theirs => kernel::open_tree(theirs?.as_fd(), &path, "shared, as the IPC namespace is").map(Some),
            }
        };
        Ok(Memory([copy(MEMORY[0])?, copy(MEMORY[1])?]))
    }
}

/// Mounts it in `root`. As an ordinary user (`rootless`) what cannot be made is borrowed from the host. A container
/// that shares an IPC namespace gets the `shared` memory.
pub fn populate(root: &Root, rootless: bool, shared: Option<&Memory>) -> Result<()> {
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
    // In a user namespace with a single group, group 5 (tty) cannot be given to anything.
    let pts = if rootless { "newinstance,ptmxmode=0666,mode=620" } else { "newinstance,ptmxmode=0666,mode=620,gid=5" };
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    special(root, &dev, "pts", |to| kernel::mount_on("devpts", to, "devpts", flags, pts, "terminals of its own"))?;
    match shared {
        Some(Memory(trees)) => {
            let mut all = MEMORY.into_iter().zip(trees).filter_map(|(name, tree)| Some((name, tree.as_ref()?)));
            all.try_for_each(|(name, tree)| share(root, &dev, name, tree))
        }
        None => own_memory(root, &dev),
    }
}

/// A directory of `/dev`, and something mounted on it.
fn special(root: &Root, dev: &OwnedFd, name: &str, mount: impl FnOnce(Target<'_>) -> Result<()>) -> Result<()> {
    kernel::mkdir(dev.as_fd(), name, 0o755, "a mount point")?;
    let path = format!("/dev/{name}");
    let point = open(root, &path, OFlag::O_PATH)?;
    mount(target(&point, &path))
}

fn own_memory(root: &Root, dev: &OwnedFd) -> Result<()> {
    let (flags, data) = (NOTHING_SPECIAL, "mode=1777,size=64m");
    special(root, dev, "shm", |to| kernel::mount_on("shm", to, "tmpfs", flags, data, "POSIX shared memory"))?;
    let why = "POSIX message queues of its own IPC namespace";
    special(root, dev, "mqueue", |to| kernel::mount_on("mqueue", to, "mqueue", flags, "", why))
}

fn share(root: &Root, dev: &OwnedFd, name: &str, tree: &OwnedFd) -> Result<()> {
    let why = "what both see, in this container's place for it";
    special(root, dev, name, |to| kernel::move_mount(tree.as_fd(), name, to, why))
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
        return kernel::mknod_char(dev.as_fd(), name, number, 0o666, "a device that every program may use");
    }
    kernel::mkfile(dev.as_fd(), name, 0o666, "a file to mount the host's device on")?;
    let path = format!("/dev/{name}");
    let file = open(root, &path, OFlag::O_PATH)?;
    let why = "an ordinary user may not make device nodes";
    kernel::mount_on(&path, target(&file, &path), "", MsFlags::MS_BIND, "", why)
}

/// Puts a device of the host into the container's `/dev`. As an ordinary user (`rootless`) it is the host's own node,
/// and who may open it stays as it is.
pub fn add(root: &Root, node: &Node, rootless: bool) -> Result<()> {
    let why = "a device of the machine, as it was asked for";
    let path = node.container.to_string_lossy();
    let failed = |errno| Error::call("openat2", &*path, errno);
    let (parent, name) = path.rsplit_once('/').unwrap_or(("/dev", &path));
    let dir =
        root.create_dir_all_told(parent, Mode::from_bits_truncate(0o755), "a directory for it").map_err(failed)?;
    let there = |error: &Error| error.errno() == Some(Errno::EEXIST);
    if rootless {
        match kernel::mkfile(dir.as_fd(), name, 0o666, "a file to mount the host's device on") {
            Err(error) if !there(&error) => return Err(error),
            _ => {}
        }
        let file = open(root, &path, OFlag::O_PATH)?;
        return kernel::mount_on(&node.host, target(&file, &path), "", MsFlags::MS_BIND, "", why);
    }
    let number = (node.rule.major.unwrap_or_default().into(), node.rule.minor.unwrap_or_default().into());
    let mode = std::fs::metadata(&node.host).map(|host| host.mode() & 0o777);
    let mode = mode.map_err(|error| Error::io("stat", path.to_string(), &error))?;
    let make = if node.rule.kind == Kind::Block { kernel::mknod_block } else { kernel::mknod_char };
    match make(dir.as_fd(), name, number, mode, why) {
        // One of those that every container has.
        Err(error) if there(&error) && is_device(root, &path, number)? => Ok(()),
        made => made,
    }
}

fn is_device(root: &Root, path: &str, (major, minor): (u64, u64)) -> Result<bool> {
    let found = nix::sys::stat::fstat(open(root, path, OFlag::O_PATH)?);
    let found = found.map_err(|errno| Error::call("fstat", path, errno))?;
    Ok(found.st_rdev == nix::sys::stat::makedev(major, minor))
}

/// All devices of the host that are no terminals: what a privileged container has.
pub fn all() -> Vec<Node> {
    let entries = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let own = ["pts", "shm", "mqueue", "console", "fd", "ptmx"];
    let wanted = entries.filter(|entry| !own.iter().any(|name| entry.file_name() == *name));
    let device =
        |path: std::path::PathBuf| Device { host: path.clone(), container: path, access: READ | WRITE | MKNOD };
    let real = wanted.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()));
    real.filter_map(|entry| device(entry.path()).nodes().ok()).flatten().collect()
}
