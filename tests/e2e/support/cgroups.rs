//! The cgroups of this machine, found without the library that is tested.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Pid, geteuid};

/// The tree of v1 that has this controller.
pub fn v1(controller: &str) -> Option<PathBuf> {
    let dir = Path::new("/sys/fs/cgroup").join(controller);
    (dir.join("cgroup.procs").exists() && !dir.join("cgroup.controllers").exists()).then_some(dir)
}

/// The mount of the v2 tree.
pub fn v2() -> Option<PathBuf> {
    let usual = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
    usual.into_iter().find(|mount| mount.join("cgroup.controllers").exists()).map(Path::to_owned)
}

/// Whether this user may use a controller.
pub fn has(controller: &str) -> bool {
    let names = own_v2().and_then(|dir| fs::read_to_string(dir.join("cgroup.controllers")).ok()).unwrap_or_default();
    let older = if controller == "io" { "blkio" } else { controller };
    geteuid().is_root() && v1(older).is_some() || names.split_whitespace().any(|name| name == controller)
}

/// Whether this user may make any cgroup.
pub fn any() -> bool {
    geteuid().is_root() || own_v2().is_some()
}

/// The cgroup of v2 that is this user's: the top for root, for others the one that the tests were started in.
fn own_v2() -> Option<PathBuf> {
    if geteuid().is_root() {
        return v2();
    }
    let own = v2()?.join(place(Pid::this(), "")?.trim_start_matches('/'));
    fs::metadata(&own).is_ok_and(|found| found.uid() == geteuid().as_raw()).then_some(own)
}

/// Where a process is in a tree: of this controller in v1, or in v2 if it is empty.
fn place(pid: Pid, controller: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    text.lines().find_map(|line| {
        let [_, names, path] = line.splitn(3, ':').collect::<Vec<_>>()[..] else { return None };
        names.split(',').any(|name| name == controller).then(|| path.to_owned())
    })
}

/// The content of a file of a process's cgroup: `of_v1` is the controller and the file there, `of_v2` the file there.
pub fn read(pid: Pid, of_v1: (&str, &str), of_v2: &str) -> Option<String> {
    let path = match v1(of_v1.0) {
        Some(mount) => mount.join(place(pid, of_v1.0)?.trim_start_matches('/')).join(of_v1.1),
        None => v2()?.join(place(pid, "")?.trim_start_matches('/')).join(of_v2),
    };
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// All cgroups of the container with this id, in every tree.
pub fn of_container(id: &str) -> Vec<PathBuf> {
    named(Path::new("/sys/fs/cgroup"), id, 0)
}

/// Deep enough for a part of the tree that a user was given.
const DEEPEST: usize = 8;

fn named(dir: &Path, name: &str, depth: usize) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let below = entries.filter(|entry| depth < DEEPEST && entry.file_type().is_ok_and(|kind| kind.is_dir()));
    below
        .flat_map(|entry| {
            let own = (entry.file_name().to_string_lossy() == *name).then(|| entry.path());
            own.into_iter().chain(named(&entry.path(), name, depth + 1))
        })
        .collect()
}
