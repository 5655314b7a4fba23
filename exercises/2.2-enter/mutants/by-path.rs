//! diagnosis: path-leads-nowhere
//!
//! One kind after the other through /proc/PID/ns, the mounts first, because they stand first in every list. Made by
//! those who learnt setns before it took a pidfd.

use std::os::fd::AsFd;

use look::kernel::CloneFlags;
use look::{Result, namespaces_of};
use namespaces::{Process, flag, join, spawn};
use nix::unistd::Pid;

pub fn enter(pid: Pid, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    for kind in ["mnt", "uts", "ipc", "net", "cgroup", "pid"] {
        let path = format!("/proc/{pid}/ns/{kind}");
        let file = std::fs::File::open(&path).map_err(|error| look::Error::io("open", &path, &error))?;
        look::kernel::setns(file.as_fd(), CloneFlags::empty(), "enter")?;
    }
    spawn(CloneFlags::empty(), None, child)
}
