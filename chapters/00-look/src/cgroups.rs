//! Which cgroups pay for a process (`/proc/PID/cgroup`), and where their files are (cgroups(7)).

use std::path::{Path, PathBuf};

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::mountinfo;

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

/// A tree of cgroups, and where it is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// The controllers of a v1 hierarchy, or `name=systemd` for one without; empty for v2.
    pub controllers: Vec<String>,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// Which of its cgroups is seen there: `/`, but in some containers.
    pub root: String,
}

impl Hierarchy {
    /// Whether this is the one tree of cgroup v2.
    pub fn is_v2(&self) -> bool {
        self.controllers.is_empty()
    }

    /// The directory of the cgroup that the kernel calls `path`, if it can be seen from here.
    pub fn directory(&self, path: &str) -> Option<PathBuf> {
        let below = Path::new(path).strip_prefix(&self.root).ok()?;
        Some(self.mount.join(below)).filter(|dir| dir.is_dir())
    }
}

/// The hierarchies that are mounted here, from `/proc/self/mountinfo`. One that is mounted twice counts once, and
/// the mount that shows all of it is preferred.
pub fn hierarchies() -> Result<Vec<Hierarchy>> {
    let file = "/proc/self/mountinfo";
    let text = std::fs::read_to_string(file).map_err(|e| Error::io("read", file, &e))?;
    let mut found: Vec<Hierarchy> = Vec::new();
    for hierarchy in text.lines().filter_map(mounted) {
        match found.iter_mut().find(|known| known.controllers == hierarchy.controllers) {
            Some(known) if known.root != "/" && hierarchy.root == "/" => *known = hierarchy,
            Some(_) => {}
            None => found.push(hierarchy),
        }
    }
    Ok(found)
}

/// The hierarchy that a line of mountinfo mounts, if it mounts one.
fn mounted(line: &str) -> Option<Hierarchy> {
    let (_, file_system) = line.split_once(" - cgroup")?;
    let mount = mountinfo::parse(line)?;
    let options = file_system.rsplit(' ').next()?.split(',');
    let controllers: Vec<String> = match mount.fstype.as_str() {
        "cgroup2" => Vec::new(),
        "cgroup" => options.filter(|option| is_controller(option)).map(str::to_owned).collect(),
        _ => return None,
    };
    // A v1 hierarchy always has a controller or a name.
    (mount.fstype == "cgroup2" || !controllers.is_empty()).then(|| Hierarchy {
        controllers,
        mount: mount.target.into(),
        root: mount.root,
    })
}

/// Whether an option of a v1 mount names what the hierarchy is for.
fn is_controller(option: &str) -> bool {
    const CONTROLLERS: [&str; 14] = [
        "blkio",
        "cpu",
        "cpuacct",
        "cpuset",
        "debug",
        "devices",
        "freezer",
        "hugetlb",
        "memory",
        "misc",
        "net_cls",
        "net_prio",
        "perf_event",
        "pids",
    ];
    CONTROLLERS.contains(&option) || option == "rdma" || option.starts_with("name=")
}

/// Reads the cgroups of `pid`.
pub fn cgroups_of(pid: Pid) -> Result<Vec<Cgroup>> {
    let hierarchies = hierarchies()?;
    let cgroup = |(hierarchy, path): (String, String)| {
        let limits = directory(&hierarchies, &hierarchy, &path).map(|dir| limits_in(&dir)).unwrap_or_default();
        Cgroup { hierarchy, path, limits }
    };
    Ok(paths_of(pid)?.into_iter().map(cgroup).collect())
}

/// The directories of the cgroups of `pid`, as far as they can be seen from here, each with its hierarchy as in
/// [`Cgroup::hierarchy`].
pub fn directories_of(pid: Pid) -> Result<Vec<(String, PathBuf)>> {
    let hierarchies = hierarchies()?;
    let found = paths_of(pid)?.into_iter().filter_map(|(hierarchy, path)| {
        let dir = directory(&hierarchies, &hierarchy, &path)?;
        Some((hierarchy, dir))
    });
    Ok(found.collect())
}

/// `v2` or the controllers, and the path, of each cgroup of `pid`.
fn paths_of(pid: Pid) -> Result<Vec<(String, String)>> {
    let file = format!("/proc/{pid}/cgroup");
    let text = std::fs::read_to_string(&file).map_err(|e| Error::io("read", &file, &e))?;
    Ok(text.lines().filter_map(parse).collect())
}

/// `0::/user.slice` for v2, `4:memory:/docker` for v1.
fn parse(line: &str) -> Option<(String, String)> {
    let mut parts = line.splitn(3, ':');
    let (_number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    Some((if controllers.is_empty() { "v2" } else { controllers }.to_owned(), path.to_owned()))
}

fn directory(hierarchies: &[Hierarchy], hierarchy: &str, path: &str) -> Option<PathBuf> {
    // The kernel may name the controllers of a hierarchy in another order than the mount does.
    let same = |known: &&Hierarchy| match hierarchy {
        "v2" => known.is_v2(),
        v1 => !known.is_v2() && v1.split(',').all(|one| known.controllers.iter().any(|other| other == one)),
    };
    hierarchies.iter().find(same)?.directory(path)
}

/// The files that hold limits, each with what it says when there is none.
const LIMITS: [(&str, &[&str]); 18] = [
    ("memory.max", &["max"]),
    ("memory.swap.max", &["max"]),
    ("memory.low", &["0"]),
    ("cpu.max", &["max 100000"]),
    ("cpu.weight", &["100"]),
    ("cpuset.cpus", &[""]),
    ("cpuset.mems", &[""]),
    ("pids.max", &["max"]),
    ("io.weight", &["default 100"]),
    ("io.bfq.weight", &["default 100"]),
    ("memory.limit_in_bytes", &["9223372036854771712"]),
    ("memory.memsw.limit_in_bytes", &["9223372036854771712"]),
    ("memory.soft_limit_in_bytes", &["9223372036854771712"]),
    ("cpu.cfs_quota_us", &["-1"]),
    ("cpu.cfs_period_us", &["100000"]),
    ("cpu.shares", &["1024"]),
    ("blkio.weight", &["500"]),
    ("blkio.bfq.weight", &["100"]),
];

fn limits_in(dir: &Path) -> Vec<(String, String)> {
    LIMITS
        .iter()
        .filter_map(|(name, unlimited)| {
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
        assert_eq!(parse("0::/no/such/place"), Some(("v2".into(), "/no/such/place".into())));
        assert_eq!(parse("12:cpu,cpuacct:/a:b"), Some(("cpu,cpuacct".into(), "/a:b".into())));
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn what_is_mounted() {
        let v1 = mounted("32 31 0:29 / /cg/cpu rw,nosuid shared:9 - cgroup cgroup rw,xattr,cpu,cpuacct").unwrap();
        assert_eq!((v1.controllers, v1.mount), (vec!["cpu".into(), "cpuacct".into()], PathBuf::from("/cg/cpu")));
        let named = mounted("40 31 0:37 /docker/1 /cg/systemd ro - cgroup cgroup rw,name=systemd").unwrap();
        assert_eq!((named.controllers, named.root), (vec!["name=systemd".to_owned()], "/docker/1".to_owned()));
        let v2 = mounted("41 31 0:38 / /cg rw - cgroup2 cgroup2 rw,nsdelegate").unwrap();
        assert!(v2.is_v2());
        assert_eq!(mounted("31 23 0:28 / /sys/fs/cgroup rw - tmpfs cgroup rw"), None);
    }

    #[test]
    fn a_mount_that_shows_a_part_leads_to_that_part_alone() {
        let part = Hierarchy { controllers: Vec::new(), mount: "/proc".into(), root: "/docker/1".into() };
        assert_eq!(part.directory("/docker/1/self"), Some("/proc/self".into()));
        assert_eq!(part.directory("/docker/2"), None);
    }
}
