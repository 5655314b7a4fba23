//! The cgroups of one container, in every tree that the machine has.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use look::kernel;
use nix::unistd::getpid;

use crate::home::{self, PARENT};
use crate::places::{Layout, is_writable, tops};
use crate::usage::Tree;
use crate::write::{self, NO_TREE};
use crate::{DeviceRule, Limits, Setting, devices, v1};

/// What joins only v1 trees whose controller is asked for, and these, without which nothing could be counted. On a
/// hybrid machine v2 counts processor time and processes without any controller.
const COUNTED_ON_V1: [&str; 4] = ["memory", "cpuacct", "pids", "freezer"];
const COUNTED_ON_HYBRID: [&str; 1] = ["memory"];
/// The trees of v1 that a container may have a cgroup in.
const V1: [&str; 8] = ["memory", "cpu", "cpuacct", "cpuset", "pids", "blkio", "devices", "freezer"];

/// All cgroups of one container.
#[derive(Debug)]
pub struct Group {
    id: String,
    pub(crate) v2: Option<Unified>,
    pub(crate) v1: Vec<Tree>,
}

/// The cgroup in the v2 tree.
#[derive(Debug)]
pub(crate) struct Unified {
    pub(crate) path: PathBuf,
    directory: OwnedFd,
}

impl Group {
    /// Makes the cgroups of container `id`, with all limits set and nobody in them.
    ///
    /// `settings` says what to write on v2: [`settings`](crate::settings), or a learner's. With `devices`, these are
    /// all the devices that can be used (not as an ordinary user: who cannot make device nodes needs no such rules).
    /// The answer is `None` where the machine has no place for cgroups and no limit was asked for. A limit that
    /// cannot be had is an error, and then nothing is left.
    pub fn create(
        id: &str,
        limits: &Limits,
        devices: Option<&[DeviceRule]>,
        settings: fn(&Limits) -> Vec<Setting>,
    ) -> Result<Option<Group>> {
        ensure!(is_name(id), "{id:?} cannot be the name of a cgroup");
        let limits = limits.checked()?;
        let layout = Layout::find()?;
        let wanted = Wanted { v2: settings(&limits), v1: v1::settings(&limits), devices };
        let mut draft = Draft(Some(Group { id: id.to_owned(), v2: None, v1: Vec::new() }));
        let group = draft.0.as_mut().context("a draft is there until it is kept")?;
        let top = group.make(&layout, &wanted)?;
        if group.v2.is_none() && group.v1.is_empty() {
            ensure!(wanted.v2.is_empty(), write::no_place(&layout));
            return Ok(None);
        }
        group.set(&layout, top.as_deref(), &wanted, &limits)?;
        if let Some(rules) = devices {
            devices::restrict(group, rules)?;
        }
        Ok(draft.0.take())
    }

    /// Finds the cgroups of container `id`, from whatever process of the same user.
    pub fn open(id: &str) -> Option<Group> {
        if !is_name(id) {
            return None;
        }
        let layout = Layout::find().ok()?;
        let below = |top: &Path| Some(top.join(PARENT).join(id)).filter(|path| path.is_dir());
        let v2 = tops(&layout).iter().find_map(|top| Unified::open(below(top)?).ok());
        let mut group = Group { id: id.to_owned(), v2, v1: Vec::new() };
        for tree in V1.iter().filter_map(|controller| layout.v1(controller)) {
            if let Some(path) = below(&tree.mount) {
                group.add(tree.controllers.clone(), path);
            }
        }
        (group.v2.is_some() || !group.v1.is_empty()).then_some(group)
    }

    /// The cgroup that a process can be born in: what clone3 takes as `CLONE_INTO_CGROUP`.
    pub fn born_in(&self) -> Option<BorrowedFd<'_>> {
        self.v2.as_ref().map(Unified::fd)
    }

    /// Moves the calling process into all the cgroups in which it was not born. It calls this itself, before it loses
    /// sight of the host's mounts, and before it unshares the cgroup namespace: that one begins where it is then.
    pub fn join(&self) -> look::Result<()> {
        let why = "from here on this process counts for the container";
        for tree in &self.v1 {
            // `tasks` takes one thread, which is all there is of a process that was just born, and takes it at once.
            // `cgroup.procs` first makes sure that no process forks meanwhile, on no processor: that is some
            // milliseconds when it was not done lately.
            kernel::write_cgroup(&tree.path, "tasks", "0", why)?;
        }
        match &self.v2 {
            Some(v2) if !v2.holds_the_caller() => kernel::write_cgroup(&v2.path, "cgroup.procs", "0", why),
            _ => Ok(()),
        }
    }

    /// The directory with the files of a controller of v1.
    pub(crate) fn tree(&self, controller: &str) -> Option<&Path> {
        Tree::find(&self.v1, controller)
    }

    /// Makes the directories. The answer is the cgroup of v2 that they are below.
    fn make(&mut self, layout: &Layout, wanted: &Wanted<'_>) -> Result<Option<PathBuf>> {
        let top = layout.top();
        if let Some(top) = &top {
            let path = home::make_below(top, &self.id, &home::hand_on_usual)?;
            self.v2 = Some(Unified::open(path)?);
        }
        let counted = if self.v2.is_some() { &COUNTED_ON_HYBRID[..] } else { &COUNTED_ON_V1 };
        for controller in V1.into_iter().filter(|controller| counted.contains(controller) || wanted.needs(controller)) {
            let Some(tree) =
                layout.v1(controller).filter(|tree| self.tree(controller).is_none() && is_writable(&tree.mount))
            else {
                continue;
            };
            let path = home::make_below(&tree.mount, &self.id, &|_| ())?;
            self.add(tree.controllers.clone(), path);
        }
        Ok(top)
    }

    fn add(&mut self, controllers: Vec<String>, path: PathBuf) {
        if self.v1.iter().all(|tree| tree.path != path) {
            self.v1.push(Tree { controllers, path });
        }
    }

    /// Sets the limits, each in the tree that has its controller.
    fn set(&self, layout: &Layout, top: Option<&Path>, wanted: &Wanted<'_>, limits: &Limits) -> Result<()> {
        if let Some(cpuset) = self.tree("cpuset") {
            v1::inherit_cpuset(cpuset)?;
        }
        for setting in wanted.v1.iter().filter(|setting| layout.v1(setting.controller).is_some()) {
            let dir = self.tree(setting.controller).with_context(|| write::no_place(layout))?;
            write::setting(dir, setting, limits, &|| ())?;
        }
        for setting in wanted.v2.iter().filter(|setting| layout.v1(v1::name(setting.controller)).is_none()) {
            let place = self.v2.as_ref().zip(top);
            let (v2, top) = place.with_context(|| format!("limit {0}: {NO_TREE}", setting.controller))?;
            write::setting(&v2.path, setting, limits, &|| home::hand_on(top, &[setting.controller]))?;
        }
        Ok(())
    }
}

impl Unified {
    pub(crate) fn open(path: PathBuf) -> Result<Unified> {
        let directory = File::options().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(&path);
        let directory = directory.with_context(|| format!("open {}", path.display()))?;
        Ok(Unified { path, directory: directory.into() })
    }

    /// Whether the calling process is in it. The list shows each process by its id in the PID namespace of whoever
    /// reads. (`/proc/self/cgroup` says the same, and costs more: first the kernel has to make a directory in `/proc`
    /// for a process that was just born.)
    fn holds_the_caller(&self) -> bool {
        let own = getpid().to_string();
        let list = std::fs::read_to_string(self.path.join("cgroup.procs"));
        list.is_ok_and(|list| list.lines().any(|pid| pid == own))
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

/// What is asked of the cgroups.
struct Wanted<'a> {
    v2: Vec<Setting>,
    v1: Vec<Setting>,
    devices: Option<&'a [DeviceRule]>,
}

impl Wanted<'_> {
    fn needs(&self, controller: &str) -> bool {
        self.v1.iter().any(|setting| setting.controller == controller)
            || controller == "devices" && self.devices.is_some()
    }
}

/// Whether `id` is one plain name, and none of the kernel's own (`cgroup.procs`, `memory.max`).
fn is_name(id: &str) -> bool {
    !id.is_empty()
        && id.len() < 200
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Takes away again what was made, if not all could be made.
struct Draft(Option<Group>);

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            let _ = group.remove();
        }
    }
}
