//! cgroup v1: the same limits, in a tree for each controller, under older names.
//!
//! v1 came in 2007 and grew without a plan: each controller could be mounted on its own, and a process is in one
//! cgroup of every tree. v2 (2016) is one tree for all. Machines that boot v1, or a mix of both, still exist.

use std::path::Path;

use look::{Error, Result, kernel};

use crate::{Limits, Setting};

/// What to write into which file of cgroup v1, in this order, so that `limits` hold.
pub fn settings(limits: &Limits) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut set = |controller, file, value: String| settings.push(Setting::new(controller, file, value));
    if let Some(bytes) = limits.memory {
        set("memory", "memory.limit_in_bytes", bytes.to_string());
    }
    if let Some(swap) = limits.swap() {
        // Here the limit is on both together, and so never below the one on memory.
        let total = swap.and_then(|swap| limits.memory.unwrap_or_default().checked_add(swap));
        set("memory", "memory.memsw.limit_in_bytes", total.map_or("-1".into(), |bytes| bytes.to_string()));
    }
    if let Some(bytes) = limits.memory_reservation {
        set("memory", "memory.soft_limit_in_bytes", bytes.to_string());
    }
    if let Some((quota, period)) = limits.bandwidth() {
        set("cpu", "cpu.cfs_period_us", period.to_string());
        set("cpu", "cpu.cfs_quota_us", quota.map_or("-1".into(), |us| us.to_string()));
    }
    if let Some(shares) = limits.cpu_shares {
        set("cpu", "cpu.shares", shares.to_string());
    }
    if let Some(list) = &limits.cpuset_cpus {
        set("cpuset", "cpuset.cpus", list.clone());
    }
    if let Some(list) = &limits.cpuset_mems {
        set("cpuset", "cpuset.mems", list.clone());
    }
    if let Some(number) = limits.pids {
        set("pids", "pids.max", if number > 0 { number.to_string() } else { "max".into() });
    }
    if let Some(weight) = limits.blkio_weight {
        set("blkio", "blkio.weight", weight.to_string());
    }
    settings
}

/// What v1 calls a controller of v2.
pub(crate) fn name(controller: &str) -> &str {
    if controller == "io" { "blkio" } else { controller }
}

/// Gives a new cgroup of the cpuset tree, and the one above it, the processors and memory nodes of what they are in:
/// in v1 they have none at first, and nobody can move in.
pub(crate) fn inherit_cpuset(cgroup: &Path) -> Result<()> {
    let mut from_the_top: Vec<&Path> = cgroup.ancestors().take(3).collect();
    from_the_top.reverse();
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let read = |dir: &Path| {
            let path = dir.join(file);
            std::fs::read_to_string(&path).map_err(|error| Error::io("read", path.display().to_string(), &error))
        };
        for pair in from_the_top.windows(2) {
            if read(pair[1])?.trim().is_empty() {
                kernel::write_cgroup(pair[1], file, read(pair[0])?.trim(), "in v1 a cgroup has none until it is told")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(limits: &Limits) -> Vec<String> {
        settings(limits).into_iter().map(|setting| format!("{}={}", setting.file, setting.value)).collect()
    }

    #[test]
    fn nothing_asked_for_nothing_written() {
        assert_eq!(settings(&Limits::default()), []);
    }

    #[test]
    fn everything() {
        let limits = Limits {
            memory: Some(64 << 20),
            memory_swap: Some(96 << 20),
            memory_reservation: Some(32 << 20),
            cpus: Some(500_000_000),
            cpu_shares: Some(512),
            cpuset_cpus: Some("0".into()),
            cpuset_mems: Some("0".into()),
            pids: Some(20),
            blkio_weight: Some(300),
            ..Limits::default()
        };
        let expected = [
            "memory.limit_in_bytes=67108864",
            "memory.memsw.limit_in_bytes=100663296",
            "memory.soft_limit_in_bytes=33554432",
            "cpu.cfs_period_us=100000",
            "cpu.cfs_quota_us=50000",
            "cpu.shares=512",
            "cpuset.cpus=0",
            "cpuset.mems=0",
            "pids.max=20",
            "blkio.weight=300",
        ];
        assert_eq!(written(&limits), expected);
    }

    #[test]
    fn without_limit() {
        let limits = Limits { memory: Some(8 << 20), memory_swap: Some(-1), pids: Some(-1), ..Limits::default() };
        assert_eq!(
            written(&limits),
            ["memory.limit_in_bytes=8388608", "memory.memsw.limit_in_bytes=-1", "pids.max=max"]
        );
    }
}
