//! What a container, or any process's cgroup, has used up to now.

use std::path::{Path, PathBuf};

use look::Result;
use look::cgroups::directories_of;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::Group;

/// What the processes of a cgroup have used together. `None` is what this machine does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Memory now, in bytes, with the cache of files.
    pub memory: Option<u64>,
    /// Of it, the cache that the kernel would take back first. `docker stats` leaves it out.
    pub memory_inactive_file: Option<u64>,
    /// The most memory there ever was, in bytes.
    pub memory_peak: Option<u64>,
    /// The limit on memory, in bytes, if there is one.
    pub memory_limit: Option<u64>,
    /// Processor time, in microseconds.
    pub cpu_us: Option<u64>,
    /// For how long processes were held back because their time was used up, in microseconds.
    pub throttled_us: Option<u64>,
    /// The limit on processor time, in billionths of one processor, if there is one.
    pub cpu_limit: Option<u64>,
    /// Processes and threads now.
    pub pids: Option<u64>,
    /// The limit on them, if there is one.
    pub pids_limit: Option<u64>,
    /// How often the kernel killed a process because the memory limit was reached.
    pub oom_kills: u64,
    /// Bytes read from disks.
    pub io_read: Option<u64>,
    /// Bytes written to disks.
    pub io_written: Option<u64>,
}

impl Group {
    /// What the container has used up to now.
    pub fn usage(&self) -> Usage {
        Usage::read(self.v2.as_ref().map(|v2| v2.path.as_path()), &self.v1)
    }

    /// How often the kernel killed a process of the container because the memory limit was reached. More than 0
    /// explains an exit status of 137.
    pub fn oom_kills(&self) -> u64 {
        oom_kills(self.v2.as_ref().map(|v2| v2.path.as_path()), self.tree("memory"))
    }
}

/// A cgroup in a tree of v1.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) controllers: Vec<String>,
    pub(crate) path: PathBuf,
}

impl Tree {
    /// The one that has this controller.
    pub(crate) fn find<'a>(trees: &'a [Tree], controller: &str) -> Option<&'a Path> {
        trees.iter().find(|tree| tree.controllers.iter().any(|one| one == controller)).map(|tree| tree.path.as_path())
    }
}

impl Usage {
    /// What all processes in the cgroups of process `pid` have used up to now.
    pub fn of_process(pid: Pid) -> Result<Usage> {
        let (v2, v1): (Vec<_>, Vec<_>) = directories_of(pid)?.into_iter().partition(|(name, _)| name == "v2");
        let trees: Vec<Tree> = v1
            .into_iter()
            .map(|(names, path)| Tree { controllers: names.split(',').map(str::to_owned).collect(), path })
            .collect();
        Ok(Usage::read(v2.first().map(|(_, path)| path.as_path()), &trees))
    }

    /// Reads each number where it is: in the tree of v1 that has the controller, else in v2.
    fn read(v2: Option<&Path>, v1: &[Tree]) -> Usage {
        let mut usage = Usage::default();
        let memory = Tree::find(v1, "memory");
        match (memory, v2) {
            (Some(dir), _) => usage.memory_of_v1(dir),
            (None, Some(dir)) => usage.memory_of_v2(dir),
            (None, None) => {}
        }
        usage.oom_kills = oom_kills(v2, memory);
        if let Some(dir) = v2 {
            usage.others_of_v2(dir);
        }
        usage.others_of_v1(v1);
        usage
    }

    fn memory_of_v1(&mut self, dir: &Path) {
        self.memory = number(dir, "memory.usage_in_bytes");
        self.memory_peak = number(dir, "memory.max_usage_in_bytes");
        // "No limit" is the largest number of pages that a signed number holds.
        self.memory_limit = number(dir, "memory.limit_in_bytes").filter(|bytes| *bytes < 1 << 62);
        self.memory_inactive_file = keyed(dir, "memory.stat", "total_inactive_file");
    }

    fn memory_of_v2(&mut self, dir: &Path) {
        self.memory = number(dir, "memory.current");
        self.memory_peak = number(dir, "memory.peak");
        self.memory_limit = number(dir, "memory.max");
        self.memory_inactive_file = keyed(dir, "memory.stat", "inactive_file");
    }

    fn others_of_v2(&mut self, dir: &Path) {
        self.cpu_us = keyed(dir, "cpu.stat", "usage_usec");
        self.throttled_us = keyed(dir, "cpu.stat", "throttled_usec");
        self.cpu_limit = read(dir, "cpu.max").and_then(|text| {
            let (quota, period) = text.trim().split_once(' ')?;
            share(quota.parse().ok()?, period.parse().ok()?)
        });
        // Where v2 has no controllers, it still knows who is in it.
        let count = || read(dir, "cgroup.threads").map(|threads| threads.lines().count() as u64);
        self.pids = number(dir, "pids.current").or_else(count);
        self.pids_limit = number(dir, "pids.max");
        if let Some(text) = read(dir, "io.stat") {
            let sum = |key: &str| {
                text.split_whitespace().filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok()).sum()
            };
            (self.io_read, self.io_written) = (Some(sum("rbytes=")), Some(sum("wbytes=")));
        }
    }

    fn others_of_v1(&mut self, trees: &[Tree]) {
        if let Some(dir) = Tree::find(trees, "cpuacct") {
            self.cpu_us = number(dir, "cpuacct.usage").map(|ns| ns / 1000);
        }
        if let Some(dir) = Tree::find(trees, "cpu") {
            self.throttled_us = keyed(dir, "cpu.stat", "throttled_time").map(|ns| ns / 1000);
            let (quota, period) = (number(dir, "cpu.cfs_quota_us"), number(dir, "cpu.cfs_period_us"));
            self.cpu_limit = quota.zip(period).and_then(|(quota, period)| share(quota, period));
        }
        if let Some(dir) = Tree::find(trees, "pids") {
            (self.pids, self.pids_limit) = (number(dir, "pids.current"), number(dir, "pids.max"));
        }
        if let Some(text) =
            Tree::find(trees, "blkio").and_then(|dir| read(dir, "blkio.throttle.io_service_bytes_recursive"))
        {
            let sum = |kind: &str| {
                let of_a_device = |line: &str| line.split_once(kind)?.1.trim().parse::<u64>().ok();
                text.lines().filter_map(of_a_device).sum()
            };
            (self.io_read, self.io_written) = (Some(sum(" Read ")), Some(sum(" Write ")));
        }
    }
}

fn oom_kills(v2: Option<&Path>, memory_of_v1: Option<&Path>) -> u64 {
    let kills = match (memory_of_v1, v2) {
        (Some(dir), _) => keyed(dir, "memory.oom_control", "oom_kill"),
        (None, Some(dir)) => keyed(dir, "memory.events", "oom_kill"),
        (None, None) => None,
    };
    kills.unwrap_or_default()
}

/// Billionths of a processor.
fn share(quota: u64, period: u64) -> Option<u64> {
    (u128::from(quota) * 1_000_000_000).checked_div(period.into())?.try_into().ok()
}

fn read(dir: &Path, file: &str) -> Option<String> {
    std::fs::read_to_string(dir.join(file)).ok()
}

/// The number in a file. `None` for `max` and -1 too, which stand for no limit.
fn number(dir: &Path, file: &str) -> Option<u64> {
    read(dir, file)?.trim().parse().ok()
}

/// The number after `key` in a file of such lines.
fn keyed(dir: &Path, file: &str, key: &str) -> Option<u64> {
    read(dir, file)?.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests;
