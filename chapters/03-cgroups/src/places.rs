//! Where cgroups are on this machine, and where ours may go.
//!
//! Root's go to the top of each tree, as `tinbox/ID`: what is limited by the cgroup of whoever called would else
//! count for the container too. An ordinary user has no right to the top. Whoever owns the tree (systemd, or an
//! administrator with `chown`) can give away a part of it: *delegation*. [`delegated`] finds that part.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use look::cgroups::{Hierarchy, hierarchies};
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};
use nix::unistd::{AccessFlags, access, geteuid};

/// Where nearly every machine has its cgroups.
const USUAL: &str = "/sys/fs/cgroup";

/// The trees of this machine.
#[derive(Debug)]
pub struct Layout {
    /// The mount of the v2 tree.
    pub v2: Option<PathBuf>,
    /// The trees of v1.
    pub v1: Vec<Hierarchy>,
}

impl Layout {
    /// Looks: first whether the usual place is all of it (pure v2), and only then through the whole mount table.
    pub fn find() -> look::Result<Layout> {
        if statfs(USUAL).is_ok_and(|found| found.filesystem_type() == CGROUP2_SUPER_MAGIC) {
            return Ok(Layout { v2: Some(USUAL.into()), v1: Vec::new() });
        }
        let (v2, v1): (Vec<_>, Vec<_>) = hierarchies()?.into_iter().partition(Hierarchy::is_v2);
        Ok(Layout { v2: v2.into_iter().next().map(|v2| v2.mount), v1 })
    }

    /// The v1 tree of a controller.
    pub fn v1(&self, controller: &str) -> Option<&Hierarchy> {
        self.v1.iter().find(|hierarchy| hierarchy.controllers.iter().any(|one| one == controller))
    }

    /// Below which cgroup of v2 this process may make `tinbox/ID`, if anywhere.
    pub fn top(&self) -> Option<PathBuf> {
        let mount = self.v2.as_ref()?;
        if is_writable(mount) { Some(mount.clone()) } else { delegated(mount) }
    }
}

/// Whether this process may make cgroups in `dir`.
pub fn is_writable(dir: &Path) -> bool {
    access(dir, AccessFlags::W_OK).is_ok()
}

/// The highest cgroup that belongs to this user, on the way up from the one that this process is in. A process may
/// only be moved within it: the kernel asks for the right to write `cgroup.procs` of what both places have in common.
fn delegated(mount: &Path) -> Option<PathBuf> {
    let own = own_path()?;
    let own = mount.join(own.trim_start_matches('/'));
    let up = own.ancestors().take_while(|dir| dir.starts_with(mount) && is_ours(dir));
    up.last().map(Path::to_owned)
}

/// The path of this process's cgroup in v2.
fn own_path() -> Option<String> {
    let text = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    text.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

/// Whether the directory, and the two files that make it a place for more cgroups, are this user's.
fn is_ours(dir: &Path) -> bool {
    let ours = |path: &Path| std::fs::metadata(path).is_ok_and(|found| found.uid() == geteuid().as_raw());
    ["", "cgroup.procs", "cgroup.subtree_control"].iter().all(|file| ours(&dir.join(file)))
}

/// The cgroups that a user's own systemd has, which are in another branch than those of the sessions.
fn of_the_users_systemd(mount: &Path) -> PathBuf {
    let uid = geteuid();
    mount.join(format!("user.slice/user-{uid}.slice/user@{uid}.service"))
}

/// All cgroups of v2 below which this user's containers may be, for one who looks for them.
pub fn tops(layout: &Layout) -> Vec<PathBuf> {
    let Some(mount) = &layout.v2 else { return Vec::new() };
    let mut tops: Vec<PathBuf> = vec![mount.clone()];
    tops.extend(delegated(mount).into_iter().chain([of_the_users_systemd(mount)]).filter(|top| top != mount));
    tops
}
