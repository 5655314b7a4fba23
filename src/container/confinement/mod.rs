//! What a container may do: chapter 8, with Docker's options. Decided before anything is started, applied inside.

mod checks;

use anyhow::{Result, ensure};
use cgroups::DeviceRule;
use cgroups::devices::Node;
use chroot::inside::Root;
use look::kernel::{self, CapabilitySet, CloneFlags, MsFlags};
use nix::unistd::{getegid, geteuid};
use sandbox::filesystems::Tmpfs;
use sandbox::seccomp::{self, Program};
use sandbox::sysctls::Sysctl;
use sandbox::ulimits::Ulimit;
use sandbox::user::User;
use sandbox::{Privileges, apparmor, devices, filesystems};

use crate::Stages;
use crate::container::options::Confinement;
use crate::container::sharing::Sharing;

/// What is done about it at a start.
#[derive(Debug)]
pub struct Sandbox {
    /// The capabilities that the command keeps.
    keep: CapabilitySet,
    /// Set-user-ID programs lose their effect.
    no_new_privs: bool,
    /// The filter of kernel calls.
    program: Option<Program>,
    /// The AppArmor profile.
    apparmor: Option<String>,
    /// The machine's files in `/proc` and `/sys` are left as they are.
    system_paths: bool,
    privileged: bool,
    read_only: bool,
    tmpfs: Vec<Tmpfs>,
    ulimits: Vec<Ulimit>,
    sysctls: Vec<Sysctl>,
    nodes: Vec<Node>,
    /// The devices that may be used, where the kernel can be told.
    pub device_rules: Option<Vec<DeviceRule>>,
}

impl Sandbox {
    /// Reads what is asked for, and refuses what cannot be.
    pub fn resolve(wanted: &Confinement, sharing: &Sharing) -> Result<Sandbox> {
        let keep = checks::powers(wanted, sharing.rootless)?;
        let nodes = checks::nodes(wanted, sharing.rootless)?;
        ensure!(
            wanted.groups.is_empty() || sharing.may_set_groups(),
            "--group-add: an ordinary user has one group to give away\n  help: with newuidmap (package uidmap) and lines \
             for you in /etc/subuid and /etc/subgid there are more"
        );
        Ok(Sandbox {
            program: checks::program(&wanted.seccomp, keep)?,
            apparmor: checks::profile(&wanted.apparmor, sharing.rootless)?,
            system_paths: wanted.system_paths,
            privileged: wanted.privileged,
            read_only: wanted.read_only,
            tmpfs: wanted.tmpfs.clone(),
            ulimits: wanted.ulimits.clone(),
            sysctls: checks::sysctls(wanted, sharing)?,
            device_rules: checks::device_rules(wanted, &nodes, sharing.rootless)?,
            nodes,
            keep,
            no_new_privs: !wanted.new_privileges,
        })
    }

    /// Who `user` of the root `tree` is, and what it may, with the groups that were asked for besides.
    pub fn privileges(&self, user: &User, groups: &[String], sharing: &Sharing, tree: &Root) -> Result<Privileges> {
        Ok(Privileges {
            uid: user.uid,
            gid: user.gid,
            groups: checks::groups(groups, sharing, tree, user)?,
            may_set_groups: sharing.may_set_groups() && sharing.has_ids(user.uid, user.gid),
            keep: self.keep,
            no_new_privs: self.no_new_privs,
        })
    }

    /// Whether device nodes among the container's own files may be opened: only if it may make such nodes, and if the
    /// kernel has a list of the devices that it may use.
    pub fn nodes_anywhere(&self) -> bool {
        self.device_rules.is_some() && self.keep.contains("MKNOD")
    }

    /// Mounts `/proc`, `/sys`, `/dev` and what was asked for.
    pub fn furnish(&self, tree: &Root, sharing: &Sharing) -> Result<()> {
        filesystems::mount(tree, sharing.own, self.privileged)?;
        devices::populate(tree, sharing.rootless, sharing.shared_memory()?.as_ref())?;
        self.nodes.iter().try_for_each(|node| devices::add(tree, node, sharing.rootless))?;
        Ok(self.tmpfs.iter().try_for_each(|tmpfs| tmpfs.mount(tree))?)
    }

    /// Sets what is the container's own in `/proc/sys`, then closes what is the machine's.
    pub fn protect(&self, tree: &Root, stages: &Stages) -> Result<()> {
        self.sysctls.iter().try_for_each(|sysctl| sysctl.apply(tree))?;
        match self.system_paths {
            true => Ok(()),
            false => Ok(filesystems::protect(tree, stages.mask)?),
        }
    }

    /// In the container's root: makes it read-only, if it is to be.
    pub fn seal(&self) -> Result<()> {
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | MsFlags::MS_NODEV;
        match self.read_only {
            true => Ok(kernel::mount("", "/", "", flags, "", "nothing can be written to the root")?),
            false => Ok(()),
        }
    }

    /// Last of all: gives away what the command is not to have. Needs `/proc`.
    pub fn close(&self, privileges: &Privileges, sharing: &Sharing, stages: &Stages) -> Result<()> {
        self.ulimits.iter().try_for_each(Ulimit::apply)?;
        if !sharing.has_ids(privileges.uid, privileges.gid) {
            become_another_user(privileges.uid, privileges.gid)?;
        }
        // Without no_new_privs only who has power over the machine may install a filter: so before it is given away.
        let (before, after) = match self.no_new_privs {
            true => (None, self.program.as_ref()),
            false => (self.program.as_ref(), None),
        };
        filter(before)?;
        (stages.drop_privileges)(privileges)?;
        if let Some(profile) = &self.apparmor {
            apparmor::confine(profile)?;
        }
        filter(after)
    }
}

fn filter(program: Option<&Program>) -> Result<()> {
    match program {
        Some(program) => Ok(seccomp::install(program, "kernel calls that a container has no business with")?),
        None => Ok(()),
    }
}

/// An ordinary user has one id to give away, and gave it to root, who made the container. For another user there is
/// one more user namespace, in which that same id has another number.
fn become_another_user(uid: u32, gid: u32) -> Result<()> {
    let (own_uid, own_gid) = (geteuid(), getegid());
    kernel::unshare(CloneFlags::CLONE_NEWUSER, "a user namespace in which your one id has another number")?;
    // The files below belong to the machine's root as long as this process is not dumpable.
    kernel::dumpable(true, "so that it may write its own maps")?;
    kernel::write_map("self", "setgroups", "deny", "the kernel asks for this before a user may map a group")?;
    kernel::write_map("self", "uid_map", &format!("{uid} {own_uid} 1"), "the user of the container")?;
    kernel::write_map("self", "gid_map", &format!("{gid} {own_gid} 1"), "and its group")?;
    Ok(kernel::dumpable(false, "others look at it no more")?)
}
