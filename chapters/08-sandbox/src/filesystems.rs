//! What in `/proc` and `/sys` is the machine's: hidden, or only to look at.
//!
//! A container has a `/proc` of its own, but most of what is in there besides its processes is about the machine.
//! The lists are those of Docker and runc.

use std::os::fd::{AsFd, OwnedFd};

use chroot::inside::Root;
use look::kernel::{self, CloneFlags, MsFlags, Target};
use look::{Error, Result};
use namespaces::{mount_point, mount_proc};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

/// What nobody in a container needs to see.
pub const MASKED: [&str; 11] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// What may be read. Written by user 0, these change the whole machine, whatever capabilities are missing.
pub const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

pub(crate) const NOTHING_SPECIAL: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

/// Mounts `/proc` and `/sys` in `root`, for a container with these namespaces of its `own`.
pub fn mount(root: &Root, own: CloneFlags, privileged: bool) -> Result<()> {
    proc(root, own)?;
    sys(root, own, privileged)
}

/// A new proc shows the PID namespace of whoever mounts it, and may only be mounted by who owns that. Where an ordinary
/// user's container shares the machine's processes, the host's `/proc` is borrowed.
fn proc(root: &Root, own: CloneFlags) -> Result<()> {
    if own.contains(CloneFlags::CLONE_NEWPID) || !own.contains(CloneFlags::CLONE_NEWUSER) {
        return mount_proc(root);
    }
    let proc = mount_point(root, "proc")?;
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    kernel::mount_on("/proc", target(&proc, "/proc"), "", bind, "", "the machine's processes, which it shares")
}

/// A new sysfs may only be mounted by who owns the network namespace that it shows. Where the network is somebody
/// else's, the host's `/sys` is borrowed.
fn sys(root: &Root, own: CloneFlags, privileged: bool) -> Result<()> {
    let sys = mount_point(root, "sys")?;
    let read_only = if privileged { MsFlags::empty() } else { MsFlags::MS_RDONLY };
    let flags = NOTHING_SPECIAL | read_only;
    let borrowed = !own.contains(CloneFlags::CLONE_NEWNET) && own.contains(CloneFlags::CLONE_NEWUSER);
    if borrowed {
        let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
        kernel::mount_on("/sys", target(&sys, "/sys"), "", bind, "", "a new sysfs needs a network of one's own")?;
        let covered = open(root, "/sys", OFlag::O_PATH)?;
        return kernel::mount_read_only(target(&covered, "/sys"), "and only to look at");
    }
    kernel::mount_on("sysfs", target(&sys, "/sys"), "sysfs", flags, "", "the kernel's devices, to look at")?;
    cgroups(root, flags)
}

/// `/sys/fs/cgroup`, where programs look for their limits: with a cgroup namespace, its top is the container's own.
fn cgroups(root: &Root, flags: MsFlags) -> Result<()> {
    if !std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        return Ok(());
    }
    let point = open(root, "/sys/fs/cgroup", OFlag::O_PATH)?;
    let why = "its own cgroup and what is below it, to read the limits";
    match kernel::mount_on("cgroup2", target(&point, "/sys/fs/cgroup"), "cgroup2", flags, "", why) {
        // An ordinary user's container that shares the machine's cgroup namespace does not own what it would show.
        Err(error) if error.errno() == Some(Errno::EPERM) => {
            let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
            let why = "the machine's cgroups, which it shares";
            kernel::mount_on("/sys/fs/cgroup", target(&point, "/sys/fs/cgroup"), "", bind, "", why)?;
            let covered = open(root, "/sys/fs/cgroup", OFlag::O_PATH)?;
            kernel::mount_read_only(target(&covered, "/sys/fs/cgroup"), "and only to look at")
        }
        mounted => mounted,
    }
}

/// Makes read-only, and hides with `mask` ([`crate::mask`] or another), what is the machine's. After this, no setting
/// can be written any more.
pub fn protect(root: &Root, mask: fn(&Root, &str) -> Result<()>) -> Result<()> {
    for name in READ_ONLY {
        let path = match open(root, name, OFlag::O_PATH) {
            Err(error) if error.errno() == Some(Errno::ENOENT) => continue,
            opened => opened?,
        };
        kernel::bind_on(path.as_fd(), name, target(&path, name), "a mount of its own, so that it can be read-only")?;
        let covered = open(root, name, OFlag::O_PATH)?;
        kernel::mount_read_only(target(&covered, name), "settings of the machine, not of the container")?;
    }
    MASKED.into_iter().try_for_each(|path| mask(root, path))
}

/// A tmpfs on a directory of the image, which is made if it is missing: `--tmpfs PATH[:OPTIONS]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tmpfs {
    path: String,
    flags: MsFlags,
    data: String,
}

impl std::str::FromStr for Tmpfs {
    type Err = String;

    /// Options as in mount(8) and tmpfs(5), `noexec,nosuid,nodev` unless they say otherwise.
    fn from_str(text: &str) -> std::result::Result<Tmpfs, String> {
        let (path, options) = text.split_once(':').unwrap_or((text, ""));
        if !path.starts_with('/') || path.split('/').all(|part| part.is_empty() || part == ".") || path.contains("..") {
            return Err(format!("invalid tmpfs mount '{text}': the path must be absolute, and not /"));
        }
        let mut tmpfs = Tmpfs { path: path.to_owned(), flags: NOTHING_SPECIAL, data: String::new() };
        for option in options.split(',').filter(|option| !option.is_empty()) {
            tmpfs.set(option).ok_or_else(|| format!("invalid tmpfs option '{option}'"))?;
        }
        Ok(tmpfs)
    }
}

impl Tmpfs {
    fn set(&mut self, option: &str) -> Option<()> {
        let (flag, on) = match option {
            "ro" => (MsFlags::MS_RDONLY, true),
            "rw" => (MsFlags::MS_RDONLY, false),
            "nosuid" => (MsFlags::MS_NOSUID, true),
            "suid" => (MsFlags::MS_NOSUID, false),
            "nodev" => (MsFlags::MS_NODEV, true),
            "dev" => (MsFlags::MS_NODEV, false),
            "noexec" => (MsFlags::MS_NOEXEC, true),
            "exec" => (MsFlags::MS_NOEXEC, false),
            "noatime" => (MsFlags::MS_NOATIME, true),
            data => {
                let (key, value) = data.split_once('=')?;
                let known = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks"].contains(&key);
                let number = value.trim_end_matches(|last: char| key == "size" && "kmgKMG%".contains(last));
                if !known || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                self.data = if self.data.is_empty() { data.to_owned() } else { format!("{},{data}", self.data) };
                return Some(());
            }
        };
        self.flags.set(flag, on);
        Some(())
    }

    /// Mounts it.
    pub fn mount(&self, root: &Root) -> Result<()> {
        let failed = |errno| Error::call("openat2", &self.path, errno);
        // A symlink on the way stays inside the root, and what it led to is what is mounted on.
        let point =
            root.create_dir_all_told(&self.path, Mode::from_bits_truncate(0o755), "a mount point").map_err(failed)?;
        let target = target(&point, &self.path);
        kernel::mount_on("tmpfs", target, "tmpfs", self.flags, &self.data, "in memory, and gone with the container")
    }
}

/// Opens what is at `path` now, under all mounts made so far.
pub(crate) fn open(root: &Root, path: &str, flags: OFlag) -> Result<OwnedFd> {
    root.open_no_symlinks(path, flags, Mode::empty()).map_err(|errno| Error::call("openat2", path, errno))
}

pub(crate) fn target<'a>(fd: &'a OwnedFd, name: &'a str) -> Target<'a> {
    Target { fd: fd.as_fd(), name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmpfs_options() {
        let tmpfs: Tmpfs = "/run:rw,exec,size=64k,mode=1770".parse().unwrap();
        assert_eq!((tmpfs.path.as_str(), tmpfs.data.as_str()), ("/run", "size=64k,mode=1770"));
        assert_eq!(tmpfs.flags, MsFlags::MS_NOSUID | MsFlags::MS_NODEV);
        assert_eq!("/a".parse::<Tmpfs>().unwrap().flags, NOTHING_SPECIAL);
        for wrong in ["a", "/", "/.", "/a/../..", "/a:bogus", "/a:size=1,lowerdir=/etc", "/a:size=1\u{0}"] {
            assert!(wrong.parse::<Tmpfs>().is_err(), "{wrong:?}");
        }
    }
}
