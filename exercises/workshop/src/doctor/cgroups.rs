//! Shares: whether Tinbox may make cgroups and limit them. cgroups(7), cgroup-v2.rst "Delegation".
//!
//! Root may do so at the top of the tree. An ordinary user may below a cgroup that somebody has *delegated*, which
//! means: its directory and three of its files are the user's, and it has controllers to hand out.

use std::path::{Path, PathBuf};

use look::mountinfo::{Mount, mounts_of};
use nix::unistd::Pid;

use super::cgroup_advice::{why, why_not_v2};
use super::cgroup_limits::{CONTROLLERS, Proof, limit_v1, limit_v2};
use super::child::{Refusal, in_child};
use super::finding::{Finding, Subject};
use super::machine::Machine;

const SUBJECT: Subject = Subject {
    name: "cgroups",
    did: "made a cgroup, put memory and pids limits on it, moved a process into it, and removed it",
    from_chapter: 3,
    serves: None,
};

/// How cgroups are mounted here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// One tree with all controllers.
    V2(Tree),
    /// A v2 tree without the controllers, which v1 has: the limits are made there.
    Hybrid(Vec<Tree>),
    /// A tree for each controller.
    V1(Vec<Tree>),
    /// Not mounted.
    None,
}

/// A mounted hierarchy, and where in it this process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The mount point.
    pub top: PathBuf,
    /// The directory of this process's cgroup, if it is below the mount.
    pub own: Option<PathBuf>,
}

/// Makes a cgroup where Tinbox would, and limits it.
pub fn probe(machine: &Machine) -> Finding {
    let mounts = mounts_of(Pid::this()).unwrap_or_default();
    let memberships = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    probe_in(&layout(&mounts, &memberships), machine)
}

fn probe_in(layout: &Layout, machine: &Machine) -> Finding {
    match layout {
        Layout::V2(tree) => match place(tree, machine) {
            Some(parent) => v2(parent, machine),
            None => SUBJECT.not_known("your cgroup is not below the cgroup mount", why_not_v2(layout, machine)),
        },
        Layout::Hybrid(trees) | Layout::V1(trees) => {
            let name = if matches!(layout, Layout::V1(_)) { "v1" } else { "hybrid" };
            let limited = in_child(|| {
                let nowhere = || Refusal::wrong("read", "/proc/self/cgroup", "your cgroup is not below the mount");
                trees.iter().try_for_each(|tree| limit_v1(place(tree, machine).ok_or_else(nowhere)?))
            });
            let said = match limited {
                Ok(()) => format!("{name}: memory and pids limits work, in v1"),
                Err(refusal) => format!("{name}: {refusal}"),
            };
            SUBJECT.warn(said, why_not_v2(layout, machine))
        }
        Layout::None => SUBJECT.warn("not mounted", why_not_v2(layout, machine)),
    }
}

fn v2(parent: &Path, machine: &Machine) -> Finding {
    let shown = parent.display();
    match in_child(|| limit_v2(parent)) {
        Ok(Proof::Limits) => SUBJECT.ok(format!("v2, {shown}: limited, and moved into")),
        Ok(Proof::Occupied) => SUBJECT.ok(format!("v2, {shown}: yours; what runs in it must first move to a leaf")),
        Err(refusal) => SUBJECT.warn(&refusal, why(&refusal, machine)),
    }
}

/// Root makes cgroups at the top, an ordinary user below the own one.
fn place<'a>(tree: &'a Tree, machine: &Machine) -> Option<&'a Path> {
    if machine.is_root() { Some(&tree.top) } else { tree.own.as_deref() }
}

/// Reads the layout from the mount table and `/proc/self/cgroup`.
fn layout(mounts: &[Mount], memberships: &str) -> Layout {
    let unified = mounts.iter().rfind(|mount| mount.fstype == "cgroup2");
    let of_controller = |controller: &str| {
        let has = |mount: &&Mount| {
            let name = mount.target.rsplit('/').next().unwrap_or_default();
            mount.fstype == "cgroup" && name.split(',').any(|part| part == controller)
        };
        mounts.iter().rfind(has).map(|mount| tree(mount, memberships, |line| line.split(',').any(|c| c == controller)))
    };
    let v1: Vec<Tree> = CONTROLLERS.into_iter().filter_map(of_controller).collect();
    match (unified, v1.is_empty()) {
        (Some(mount), true) => Layout::V2(tree(mount, memberships, str::is_empty)),
        (Some(_), false) => Layout::Hybrid(v1),
        (None, false) => Layout::V1(v1),
        (None, true) => Layout::None,
    }
}

/// Where this process is in the hierarchy of `mount`, which may show only a part of the whole tree.
fn tree(mount: &Mount, memberships: &str, is_hierarchy: impl Fn(&str) -> bool) -> Tree {
    let path = memberships.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        is_hierarchy(controllers).then_some(path)
    });
    let below = path.and_then(|path| Path::new(path).strip_prefix(&mount.root).ok());
    let top = PathBuf::from(&mount.target);
    Tree { own: below.filter(|path| !path.starts_with("..")).map(|path| top.join(path)), top }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(root: &str, target: &str, fstype: &str) -> Mount {
        Mount {
            id: 1,
            parent: 1,
            root: root.into(),
            target: target.into(),
            fstype: fstype.into(),
            source: "cgroup".into(),
            options: vec![],
            propagation: vec![],
        }
    }

    #[test]
    fn the_four_layouts() {
        let v2 = mount("/", "/sys/fs/cgroup", "cgroup2");
        let found = layout(std::slice::from_ref(&v2), "0::/user.slice/session-1.scope\n");
        let own = "/sys/fs/cgroup/user.slice/session-1.scope".into();
        assert_eq!(found, Layout::V2(Tree { top: "/sys/fs/cgroup".into(), own: Some(own) }));

        let memory = mount("/", "/sys/fs/cgroup/memory", "cgroup");
        let pids = mount("/", "/sys/fs/cgroup/misc,pids", "cgroup");
        let unified = mount("/", "/sys/fs/cgroup/unified", "cgroup2");
        let memberships = "3:misc,pids:/a\n2:memory:/b:c\n1:name=systemd:/\n0::/x\n";
        let trees = vec![
            Tree { top: memory.target.clone().into(), own: Some("/sys/fs/cgroup/memory/b:c".into()) },
            Tree { top: pids.target.clone().into(), own: Some("/sys/fs/cgroup/misc,pids/a".into()) },
        ];
        assert_eq!(layout(&[memory.clone(), pids.clone(), unified], memberships), Layout::Hybrid(trees.clone()));
        assert_eq!(layout(&[memory, pids], memberships), Layout::V1(trees));
        assert_eq!(layout(&[mount("/", "/", "ext4")], "0::/\n"), Layout::None);
    }

    #[test]
    fn a_v1_tree_without_controllers_beside_v2_is_not_hybrid() {
        let systemd = mount("/", "/sys/fs/cgroup/systemd", "cgroup");
        let v2 = mount("/", "/sys/fs/cgroup/unified", "cgroup2");
        assert!(matches!(layout(&[systemd, v2], "0::/\n"), Layout::V2(_)));
    }

    #[test]
    fn a_mount_that_shows_a_part_of_the_tree() {
        let part = mount("/docker/0123", "/sys/fs/cgroup", "cgroup2");
        let own = |path: &str| match layout(std::slice::from_ref(&part), path) {
            Layout::V2(tree) => tree.own,
            other => panic!("{other:?}"),
        };
        assert_eq!(own("0::/docker/0123/a\n"), Some("/sys/fs/cgroup/a".into()));
        assert_eq!(own("0::/elsewhere\n"), None);
        assert_eq!(own("0::/../outside\n"), None);
    }
}
