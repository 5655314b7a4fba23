//! Which cgroups pay for a process: `/proc/PID/cgroup` (cgroups(7)).

use std::path::{Path, PathBuf};

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The place of a process in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroup {
    /// `v2`, or the controllers of a v1 hierarchy (`memory`, `cpu,cpuacct`, `name=systemd`).
    pub hierarchy: String,
    /// The path in it, seen from the cgroup namespace of whoever looked.
    pub path: String,
    /// The limits that are set there, by the name of their file, without those that say "no limit".
    pub limits: Vec<(String, String)>,
}

/// Reads the cgroups of `pid`.
pub fn cgroups_of(pid: Pid) -> Result<Vec<Cgroup>> {
    let file = format!("/proc/{pid}/cgroup");
    let text = std::fs::read_to_string(&file).map_err(|e| Error::io("read", &file, &e))?;
    Ok(text.lines().filter_map(parse).collect())
}

/// `0::/user.slice` for v2, `4:memory:/docker` for v1.
fn parse(line: &str) -> Option<Cgroup> {
    let mut parts = line.splitn(3, ':');
    let (_number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let hierarchy = if controllers.is_empty() { "v2" } else { controllers };
    let limits = directory(hierarchy, path).map(|dir| limits_in(&dir)).unwrap_or_default();
    Some(Cgroup { hierarchy: hierarchy.to_owned(), path: path.to_owned(), limits })
}

/// Where the files of a cgroup are, on the usual mounts: pure v2, hybrid, v1.
fn directory(hierarchy: &str, path: &str) -> Option<PathBuf> {
    let mounts = Path::new("/sys/fs/cgroup");
    let base = match hierarchy {
        "v2" if mounts.join("cgroup.controllers").exists() => mounts.to_owned(),
        "v2" => mounts.join("unified"),
        controllers => mounts.join(controllers.trim_start_matches("name=")),
    };
    Some(base.join(path.trim_start_matches('/'))).filter(|dir| dir.is_dir())
}

const LIMITS: [&str; 11] = [
    "memory.max",
    "memory.swap.max",
    "cpu.max",
    "cpu.weight",
    "cpuset.cpus",
    "pids.max",
    "memory.limit_in_bytes",
    "cpu.cfs_quota_us",
    "cpu.shares",
    "blkio.weight",
    "io.weight",
];

fn limits_in(dir: &Path) -> Vec<(String, String)> {
    let unlimited = ["", "max", "-1", "max 100000", "9223372036854771712"];
    LIMITS
        .iter()
        .filter_map(|name| {
            let value = std::fs::read_to_string(dir.join(name)).ok()?.trim().to_owned();
            (!unlimited.contains(&value.as_str())).then(|| ((*name).to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations() {
        let v2 = parse("0::/no/such/place").unwrap();
        assert_eq!((v2.hierarchy.as_str(), v2.path.as_str()), ("v2", "/no/such/place"));
        let v1 = parse("12:cpu,cpuacct:/a:b").unwrap();
        assert_eq!((v1.hierarchy.as_str(), v1.path.as_str()), ("cpu,cpuacct", "/a:b"));
        assert_eq!(parse("nonsense"), None);
    }
}
