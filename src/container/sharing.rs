//! Which namespaces a container has of its own, and which it shares: chapter 2, with Docker's options.

use std::os::fd::AsFd;

use anyhow::{Context, Result, bail, ensure};
use chroot::inside::Root;
use look::Kind;
use look::kernel::{self, CloneFlags};
use namespaces::Process;
use namespaces::clocks::{self, Offsets};
use namespaces::identity::{self, Identity, Lent};
use nix::unistd::{getegid, geteuid};
use sandbox::devices::Memory;

use crate::container::channel::Channel;
use crate::container::list;
use crate::container::options::{Mode, Wanted};
use crate::state::State;

/// What a start has to do about namespaces.
#[derive(Debug)]
pub struct Sharing {
    /// Those that are made anew.
    pub own: CloneFlags,
    /// Whether an ordinary user starts it, in a user namespace.
    pub rootless: bool,
    /// The user and group that called `tinbox`.
    caller: (u32, u32),
    /// The ids of the new user namespace, if there is one.
    identity: Option<Identity>,
    /// Other containers, each with what is shared with it.
    joined: Vec<(Process, CloneFlags)>,
    clocks: Option<Offsets>,
}

/// What has to be entered before the container's first process is born.
const BEFORE_BIRTH: CloneFlags = CloneFlags::CLONE_NEWPID.union(CloneFlags::CLONE_NEWUSER);

impl Sharing {
    /// Finds the containers that `wanted` names, and refuses what cannot be.
    pub fn resolve(state: &State, wanted: &Wanted) -> Result<Sharing> {
        let rootless = !identity::is_the_machines_root();
        check_user(&wanted.user, rootless)?;
        let mut sharing = Sharing {
            own: CloneFlags::CLONE_NEWNS,
            rootless,
            caller: (geteuid().as_raw(), getegid().as_raw()),
            identity: None,
            joined: Vec::new(),
            clocks: wanted.clocks,
        };
        // The cgroup namespace begins where the process is when it is made, so it is made inside.
        for (kind, mode) in [
            (Kind::Pid, &wanted.pid),
            (Kind::Net, &wanted.net),
            (Kind::Ipc, &wanted.ipc),
            (Kind::Uts, if matches!(wanted.net, Mode::Of(_)) { &wanted.net } else { &wanted.uts }),
        ] {
            sharing.add(state, kind, mode)?;
        }
        if rootless && !sharing.shares_users() {
            let (uid, _) = sharing.caller;
            sharing.identity = Some(Identity::new(sharing.caller, wanted.user == Mode::Kept, Lent::to(uid)));
            sharing.own |= CloneFlags::CLONE_NEWUSER;
        }
        Ok(sharing)
    }

    fn add(&mut self, state: &State, kind: Kind, mode: &Mode) -> Result<()> {
        let name = match mode {
            Mode::Host => return Ok(()),
            Mode::Own | Mode::Kept => {
                self.own |= namespaces::flag(kind);
                return Ok(());
            }
            Mode::Of(name) => name,
        };
        let (_, process) = list::find_running(state, name)?;
        // What an ordinary user's container has belongs to its user namespace, so that is shared too.
        let with_users = if self.rootless { CloneFlags::CLONE_NEWUSER } else { CloneFlags::empty() };
        match self.joined.iter_mut().find(|(known, _)| known.pid() == process.pid()) {
            Some((_, kinds)) => *kinds |= namespaces::flag(kind),
            None => {
                let other = self.rootless && !self.joined.is_empty();
                ensure!(!other, "an ordinary user can share with one other container only: {name} is a second one");
                self.joined.push((process, namespaces::flag(kind) | with_users));
            }
        }
        Ok(())
    }

    /// Whether it is in another container's user namespace.
    fn shares_users(&self) -> bool {
        self.joined.iter().any(|(_, kinds)| kinds.contains(CloneFlags::CLONE_NEWUSER))
    }

    /// Whether user and group exist in its user namespace, and with it whether groups can be changed.
    pub fn has_ids(&self, uid: u32, gid: u32) -> bool {
        match (&self.identity, self.rootless) {
            (_, false) => true,
            (Some(identity), true) => identity.has(uid, gid),
            (None, true) => (uid, gid) == (0, 0),
        }
    }

    /// Whether its network is the machine's.
    pub fn has_the_machines_network(&self) -> bool {
        let joined = self.joined.iter().any(|(_, kinds)| kinds.contains(CloneFlags::CLONE_NEWNET));
        !joined && !self.own.contains(CloneFlags::CLONE_NEWNET)
    }

    /// Whether supplementary groups can be set inside.
    pub fn may_set_groups(&self) -> bool {
        !self.rootless || self.identity.as_ref().is_some_and(Identity::needs_help)
    }

    /// The user that it runs as if none is asked for: the caller, with `--userns keep-id`.
    pub fn user(&self, wanted: &Wanted) -> Option<String> {
        (wanted.user == Mode::Kept).then(|| format!("{}:{}", self.caller.0, self.caller.1))
    }

    /// Outside, before the start: what only children enter.
    pub fn join_before(&self) -> Result<()> {
        for (process, kinds) in &self.joined {
            namespaces::join(process.as_fd(), *kinds & BEFORE_BIRTH)?;
        }
        Ok(())
    }

    /// Outside, after the start: lends ids to the new process, which waits for it.
    pub fn lend_ids(&self, process: &Process, channel: &Channel) -> Result<()> {
        match &self.identity {
            Some(identity) if identity.needs_help() => {
                identity.map(process.pid())?;
                channel.send_go()
            }
            _ => Ok(()),
        }
    }

    /// Inside, first of all: becomes root of the user namespace, and sets its clocks. Both write files of `/proc/self`
    /// that do not belong to a process that is not dumpable.
    pub fn take_ids(&self, channel: &Channel) -> Result<()> {
        match &self.identity {
            Some(identity) if identity.needs_help() => channel.wait_for_go()?,
            Some(identity) => identity.map_self()?,
            None => {}
        }
        match self.clocks {
            Some(offsets) => Ok(clocks::unshare_clocks(offsets)?),
            None => Ok(()),
        }
    }

    /// Inside: enters the rest, and furnishes what is new.
    pub fn settle(&self) -> Result<()> {
        for (process, kinds) in &self.joined {
            namespaces::join(process.as_fd(), kinds.difference(BEFORE_BIRTH))?;
        }
        if self.own.contains(CloneFlags::CLONE_NEWNET) {
            kernel::link_up("lo", "a new network has nothing but this link to itself")?;
        }
        Ok(())
    }

    /// The shared memory, if it is somebody else's.
    pub fn shared_memory(&self) -> Result<Option<Memory>> {
        if self.own.contains(CloneFlags::CLONE_NEWIPC) {
            return Ok(None);
        }
        match self.joined.iter().find(|(_, kinds)| kinds.contains(CloneFlags::CLONE_NEWIPC)) {
            Some((process, _)) => Ok(Some(memory_of(process)?)),
            None => Ok(Some(Memory::of(&Root::new("/".as_ref())?)?)),
        }
    }
}

/// Takes it out of another container. Only who stands in a mount namespace may copy its mounts; so this process goes
/// there and comes back, to the root that it had.
fn memory_of(process: &Process) -> Result<Memory> {
    let mounts = std::fs::File::open("/proc/self/ns/mnt").context("open /proc/self/ns/mnt")?;
    let root = Root::new("/".as_ref())?;
    namespaces::join(process.as_fd(), CloneFlags::CLONE_NEWNS)?;
    let memory = Root::new("/".as_ref()).and_then(|theirs| Memory::of(&theirs));
    kernel::setns(mounts.as_fd(), CloneFlags::CLONE_NEWNS, "and back again")?;
    kernel::fchdir(root.as_fd(), "/", "where this process was")?;
    kernel::chroot(".", "and what it had as its root")?;
    Ok(memory?)
}

fn check_user(mode: &Mode, rootless: bool) -> Result<()> {
    match (mode, rootless) {
        (Mode::Host, true) => bail!("--userns host: an ordinary user can make a container only in a user namespace"),
        (Mode::Kept, false) => bail!("--userns keep-id is for ordinary users: root's id is the same inside anyway"),
        _ => Ok(()),
    }
}
