//! Device nodes in `/dev`, and which devices open, through the node that is there or one that is made.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, major, makedev, minor, mknod};
use nix::sys::statvfs::{FsFlags, statvfs};
use serde::{Deserialize, Serialize};

use super::calls::errno_name;

/// What is known about devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Devices {
    /// Everything in `/dev` and in the directories in it that is on its file system, in the order of names.
    pub nodes: Vec<Node>,
    /// Devices that matter.
    pub open: Vec<Opening>,
}

/// An entry of `/dev`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its path below `/dev`.
    pub name: String,
    /// `char 1:3`, `block 8:0`, `-> TARGET`, `directory` or `file`.
    pub what: String,
}

/// A device, and who opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Its usual name.
    pub name: String,
    /// `char 1:3` or `block 8:0`.
    pub what: String,
    /// Through the usual path: `yes` or the error.
    pub there: String,
    /// Through a node of our own, made for it and removed: `yes`, the error of open, or `mknod: ` and its error.
    pub made: String,
}

const CHAR: SFlag = SFlag::S_IFCHR;
const BLOCK: SFlag = SFlag::S_IFBLK;
/// Devices whose numbers are the same everywhere (admin-guide/devices.txt of the kernel).
const KNOWN: [(&str, SFlag, u64, u64); 17] = [
    ("null", CHAR, 1, 3),
    ("zero", CHAR, 1, 5),
    ("full", CHAR, 1, 7),
    ("random", CHAR, 1, 8),
    ("urandom", CHAR, 1, 9),
    ("tty", CHAR, 5, 0),
    ("console", CHAR, 5, 1),
    ("ptmx", CHAR, 5, 2),
    ("mem", CHAR, 1, 1),
    ("port", CHAR, 1, 4),
    ("kmsg", CHAR, 1, 11),
    ("fuse", CHAR, 10, 229),
    ("net/tun", CHAR, 10, 200),
    ("loop-control", CHAR, 10, 237),
    ("kvm", CHAR, 10, 232),
    ("loop0", BLOCK, 7, 0),
    ("sda", BLOCK, 8, 0),
];

/// Lists and tries them. Devices are opened for reading, without waiting, and closed; nothing is read.
pub fn devices() -> Devices {
    let mut nodes = Vec::new();
    list(Path::new("/dev"), &mut nodes);
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let place = place_for_nodes();
    let known = KNOWN.iter().map(|(name, kind, major, minor)| ((*name).to_owned(), *kind, *major, *minor));
    let open = known.chain(disk()).map(|(name, kind, major, minor)| {
        let word = if kind == BLOCK { "block" } else { "char" };
        let there = opened(&Path::new("/dev").join(&name));
        let made = made(place.as_deref(), kind, major, minor);
        Opening { name, what: format!("{word} {major}:{minor}"), there, made }
    });
    Devices { nodes, open: open.collect() }
}

fn list(directory: &Path, nodes: &mut Vec<Node>) {
    let device = fs::metadata(directory).map(|metadata| metadata.dev());
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else { continue };
        let number = metadata.rdev();
        let kind = metadata.file_type();
        let what = match () {
            () if kind.is_char_device() => format!("char {}:{}", major(number), minor(number)),
            () if kind.is_block_device() => format!("block {}:{}", major(number), minor(number)),
            () if kind.is_symlink() => {
                format!("-> {}", fs::read_link(&path).map(|to| to.display().to_string()).unwrap_or_default())
            }
            () if kind.is_dir() => "directory".to_owned(),
            () => "file".to_owned(),
        };
        let name = path.strip_prefix("/dev").unwrap_or(&path).display().to_string();
        nodes.push(Node { name, what });
        // Not below other mounts: what is in pts and shm is not of the sandbox's making.
        if kind.is_dir() && device.as_ref().is_ok_and(|device| *device == metadata.dev()) {
            list(&path, nodes);
        }
    }
}

/// A disk of this machine, as `/proc/partitions` has it in every container.
fn disk() -> Option<(String, SFlag, u64, u64)> {
    let text = fs::read_to_string("/proc/partitions").ok()?;
    text.lines().skip(2).find_map(|line| {
        let mut words = line.split_whitespace();
        let (major, minor) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let name = words.nth(1)?.to_owned();
        (!name.starts_with("loop") && !name.starts_with("ram")).then_some((name, BLOCK, major, minor))
    })
}

fn opened(path: &Path) -> String {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    open(path, flags, Mode::empty()).map_or_else(|errno| errno_name(errno as i32), |_open| "yes".into())
}

/// A directory where a node can be made and would open: nodes do not on a mount with `nodev`.
fn place_for_nodes() -> Option<PathBuf> {
    let allows_nodes = |path: &&str| {
        let wanted = FsFlags::ST_NODEV | FsFlags::ST_RDONLY;
        statvfs(*path).is_ok_and(|found| !found.flags().intersects(wanted))
    };
    ["/tmp", "/", "/dev", "/dev/shm"].iter().find(|path| allows_nodes(path)).map(PathBuf::from)
}

fn made(place: Option<&Path>, kind: SFlag, major: u64, minor: u64) -> String {
    let Some(place) = place else { return "every directory is nodev or read-only".into() };
    let path = place.join(format!(".probe-{}-{major}-{minor}", std::process::id()));
    match mknod(&path, kind, Mode::S_IRUSR, makedev(major, minor)) {
        Ok(()) => {
            let answer = opened(&path);
            let _ = fs::remove_file(&path);
            answer
        }
        Err(errno @ Errno::EEXIST) => format!("mknod: {}: {}", path.display(), errno_name(errno as i32)),
        Err(errno) => format!("mknod: {}", errno_name(errno as i32)),
    }
}
