//! Files that a container should not see, or not change.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

use nix::unistd::{AccessFlags, access};
use serde::{Deserialize, Serialize};

use super::calls::errno_name;

/// The paths that Docker masks, and those that it makes read-only.
const KEPT: [&str; 18] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/bus",
    "/proc/fs",
    "/proc/interrupts",
    "/proc/irq",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/sys",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/cgroup",
];

/// Settings of the machine. Those under `net`, and the host name and IPC, belong to a namespace.
const SYSCTLS: [&str; 16] = [
    "fs/binfmt_misc/register",
    "fs/mqueue/msg_max",
    "fs/suid_dumpable",
    "kernel/core_pattern",
    "kernel/domainname",
    "kernel/hostname",
    "kernel/modprobe",
    "kernel/panic",
    "kernel/printk",
    "kernel/shmmax",
    "kernel/sysrq",
    "kernel/yama/ptrace_scope",
    "net/ipv4/ip_forward",
    "net/ipv4/ping_group_range",
    "vm/drop_caches",
    "vm/overcommit_memory",
];

/// A path, and what can be done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// The path.
    pub path: String,
    /// What is found there.
    pub content: Content,
    /// `yes` if a file can be opened for writing, or entries could be made in a directory as far as mount and
    /// permissions are concerned; else the error. Nothing is written.
    pub write: String,
}

/// What can be seen at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// There is nothing of this name.
    Absent,
    /// A file without content, a directory without entries, or the null device.
    Empty,
    /// There is something to read.
    Readable,
    /// It is there, and reading it fails with this error.
    Unreadable(String),
}

/// Looks at what Docker keeps from containers.
pub fn masked() -> Vec<Path> {
    KEPT.iter().map(|path| look_at(path)).collect()
}

/// Looks at settings.
pub fn sysctls() -> Vec<Path> {
    SYSCTLS.iter().map(|name| look_at(&format!("/proc/sys/{name}"))).collect()
}

/// Looks at one path. Whatever is in the image, nothing waits: a FIFO or a device is not opened for writing.
pub(super) fn look_at(path: &str) -> Path {
    Path { path: path.into(), content: content(path), write: write(path) }
}

fn content(path: &str) -> Content {
    let found = fs::metadata(path).and_then(|metadata| {
        if metadata.is_dir() {
            return Ok(fs::read_dir(path)?.next().is_some());
        }
        // What a container engine puts over a file to mask it.
        if metadata.file_type().is_char_device() {
            return Ok(false);
        }
        match File::open(path).and_then(|mut file| file.read(&mut [0])) {
            Ok(count) => Ok(count > 0),
            Err(error) => Err(error),
        }
    });
    match found {
        Ok(true) => Content::Readable,
        Ok(false) => Content::Empty,
        Err(error) if error.kind() == ErrorKind::NotFound => Content::Absent,
        Err(error) => Content::Unreadable(name(&error)),
    }
}

fn write(path: &str) -> String {
    let writable = fs::metadata(path).and_then(|metadata| {
        if metadata.is_file() {
            return OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path).map(drop);
        }
        Ok(access(path, AccessFlags::W_OK)?)
    });
    writable.map_or_else(|error| name(&error), |()| "yes".into())
}

pub(super) fn name(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), errno_name)
}
