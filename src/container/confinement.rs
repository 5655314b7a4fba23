//! What a container may do: chapter 8, with Docker's options. Decided before anything is started, applied inside.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use cgroups::DeviceRule;
use cgroups::devices::{Device, Kind, Node};
use chroot::inside::Root;
use look::kernel::{self, CapabilitySet, CloneFlags, MsFlags};
use nix::unistd::{getegid, geteuid};
use sandbox::filesystems::Tmpfs;
use sandbox::seccomp::{self, Profile, Program};
use sandbox::sysctls::Sysctl;
use sandbox::ulimits::Ulimit;
use sandbox::user::{self, User};
use sandbox::{Privileges, apparmor, capabilities, devices, filesystems};

use crate::Stages;
use crate::container::options::{AppArmor, Confinement, Seccomp};
use crate::container::sharing::Sharing;

/// A seccomp profile is some 10 kB.
const LONGEST_PROFILE: u64 = 4 << 20;

/// What is done about it at a start.
#[derive(Debug)]
pub struct Sandbox {
    /// Who the command is, and what it may.
    pub privileges: Privileges,
    /// The user is none of the ids that the user namespace has, so it gets one more namespace.
    another_user: bool,
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
    pub fn resolve(wanted: &Confinement, sharing: &Sharing, tree: &Root, user: &User) -> Result<Sandbox> {
        let keep = powers(wanted, sharing.rootless)?;
        let nodes = nodes(wanted, sharing.rootless)?;
        ensure!(
            wanted.groups.is_empty() || sharing.may_set_groups(),
            "--group-add: an ordinary user has one group to give away\n  help: with newuidmap (package uidmap) and lines \
             for you in /etc/subuid and /etc/subgid there are more"
        );
        let another_user = !sharing.has_ids(user.uid, user.gid);
        Ok(Sandbox {
            another_user,
            program: program(&wanted.seccomp, keep)?,
            apparmor: profile(&wanted.apparmor, sharing.rootless)?,
            system_paths: wanted.system_paths,
            privileged: wanted.privileged,
            read_only: wanted.read_only,
            tmpfs: wanted.tmpfs.clone(),
            ulimits: wanted.ulimits.clone(),
            sysctls: sysctls(wanted, sharing)?,
            device_rules: device_rules(wanted, &nodes, sharing.rootless)?,
            nodes,
            privileges: Privileges {
                uid: user.uid,
                gid: user.gid,
                groups: groups(wanted, sharing, tree, user)?,
                may_set_groups: sharing.may_set_groups() && !another_user,
                keep,
                no_new_privs: !wanted.new_privileges,
            },
        })
    }

    /// Whether device nodes on the container's own files may be opened: if somebody asked to make them, and a list
    /// says which may be used.
    pub fn nodes_anywhere(&self) -> bool {
        self.device_rules.is_some() && self.privileges.keep.contains("MKNOD")
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
    pub fn close(&self, stages: &Stages) -> Result<()> {
        self.ulimits.iter().try_for_each(Ulimit::apply)?;
        if self.another_user {
            become_another_user(self.privileges.uid, self.privileges.gid)?;
        }
        // Without no_new_privs only who has power over the machine may install a filter: so before it is given away.
        let (before, after) = match self.privileges.no_new_privs {
            true => (None, self.program.as_ref()),
            false => (self.program.as_ref(), None),
        };
        filter(before)?;
        (stages.drop_privileges)(&self.privileges)?;
        if let Some(profile) = &self.apparmor {
            apparmor::confine(profile)?;
        }
        filter(after)
    }
}

/// The capabilities that are wanted, as far as there are any to give: root of this machine may itself lack some. Root of a
/// new user namespace has all of them.
fn powers(wanted: &Confinement, rootless: bool) -> Result<CapabilitySet> {
    let chosen = match wanted.privileged {
        true => CapabilitySet::all(),
        false => capabilities::choose(&wanted.cap_add, &wanted.cap_drop).map_err(anyhow::Error::msg)?,
    };
    if rootless {
        return Ok(chosen);
    }
    let held = kernel::permitted_capabilities();
    for name in &wanted.cap_add {
        let known = name.to_uppercase();
        let known = known.trim_start_matches("CAP_");
        ensure!(
            known == "ALL" || held.contains(known),
            "--cap-add {name}: root of this machine does not have it either"
        );
    }
    Ok(chosen.without(CapabilitySet::all().without(held)))
}

/// The supplementary groups. The user's own is among them: what a file denies to a group must not be had by a
/// set-group-ID program that leaves it (CVE-2022-36109).
fn groups(wanted: &Confinement, sharing: &Sharing, tree: &Root, user: &User) -> Result<Vec<u32>> {
    let mut groups = vec![user.gid];
    for group in user.groups.iter().copied().chain(wanted_groups(wanted, sharing, tree)?) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    Ok(groups)
}

fn wanted_groups(wanted: &Confinement, sharing: &Sharing, tree: &Root) -> Result<Vec<u32>> {
    let find = |name: &String| {
        let group = user::group(tree, name)?;
        ensure!(
            sharing.has_ids(0, group),
            "--group-add {name}: group {group} is none of those that /etc/subgid lends you"
        );
        Ok(group)
    };
    wanted.groups.iter().map(find).collect()
}

/// What is asked for, after what every container with a network of its own has, as in Docker: in there no port needs
/// privileges, and anybody may ping.
fn sysctls(wanted: &Confinement, sharing: &Sharing) -> Result<Vec<Sysctl>> {
    let usual = ["net.ipv4.ip_unprivileged_port_start=0", "net.ipv4.ping_group_range=0 2147483647"];
    let usual = match (sharing.own.contains(CloneFlags::CLONE_NEWNET), sharing.rootless) {
        (false, _) => &usual[..0],
        // A range of groups must exist in the user namespace.
        (true, true) => &usual[..1],
        (true, false) => &usual,
    };
    let all = usual.iter().copied().chain(wanted.sysctls.iter().map(String::as_str));
    all.map(|text| Sysctl::parse(text, sharing.own).map_err(anyhow::Error::msg)).collect()
}

fn filter(program: Option<&Program>) -> Result<()> {
    match program {
        Some(program) => Ok(seccomp::install(program, "kernel calls that a container has no business with")?),
        None => Ok(()),
    }
}

fn program(wanted: &Seccomp, keep: CapabilitySet) -> Result<Option<Program>> {
    Ok(match wanted {
        Seccomp::Unconfined => None,
        Seccomp::Default => Some(seccomp::default_program(keep)?),
        Seccomp::File(path) => {
            let problem = || format!("the seccomp profile {}", path.display());
            let profile = Profile::parse(&read(path).with_context(problem)?).with_context(problem)?;
            Some(profile.compile(keep).with_context(problem)?)
        }
    })
}

/// Reads a file that the caller names, which may be anything that the caller may read.
fn read(path: &Path) -> Result<Vec<u8>> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = std::fs::canonicalize(parent)?;
    let name = path.file_name().context("it is no file")?;
    let file = std::fs::canonicalize(parent.join(name))?;
    Root::new(Path::new("/"))?.read_file(&file, LONGEST_PROFILE)?.context("there is no such file")
}

fn profile(wanted: &AppArmor, rootless: bool) -> Result<Option<String>> {
    let name = match wanted {
        AppArmor::Unconfined => return Ok(None),
        AppArmor::Default if rootless || !apparmor::is_enabled() => return Ok(None),
        AppArmor::Default => return Ok(apparmor::load_default()?.then(|| apparmor::DEFAULT.to_owned())),
        AppArmor::Profile(name) => name,
    };
    ensure!(apparmor::is_enabled(), "--security-opt apparmor={name}: this kernel does not have AppArmor enabled");
    let missing = apparmor::is_loaded(name) == Some(false);
    ensure!(!missing, "--security-opt apparmor={name}: no such profile is loaded\n  help: apparmor_parser --add FILE");
    Ok(Some(name.clone()))
}

fn nodes(wanted: &Confinement, rootless: bool) -> Result<Vec<Node>> {
    let mut nodes = if wanted.privileged && !rootless { devices::all() } else { Vec::new() };
    for device in &wanted.devices {
        let device: Device = device.parse()?;
        let inside = device.container.to_string_lossy();
        ensure!(
            inside.starts_with("/dev/") && !inside.split('/').any(|part| part == ".."),
            "--device {inside}: a device can only be put below /dev"
        );
        let whole = cgroups::devices::MKNOD | cgroups::devices::READ | cgroups::devices::WRITE;
        ensure!(
            !rootless || device.access == whole,
            "--device {inside}: for an ordinary user there is nobody to enforce that only some access is allowed\n  \
             help: leave the letters out, or run it as root"
        );
        nodes.extend(device.nodes()?);
    }
    Ok(nodes)
}

/// The rules for whatever is opened by its numbers. `None` for an ordinary user, who cannot make device nodes.
fn device_rules(wanted: &Confinement, nodes: &[Node], rootless: bool) -> Result<Option<Vec<DeviceRule>>> {
    let asked: Vec<DeviceRule> = wanted.device_rules.iter().map(|rule| rule.parse()).collect::<Result<_>>()?;
    if rootless {
        ensure!(asked.is_empty(), "--device-cgroup-rule: an ordinary user cannot make device nodes");
        return Ok(None);
    }
    if wanted.privileged {
        let all = cgroups::devices::MKNOD | cgroups::devices::READ | cgroups::devices::WRITE;
        return Ok(Some(vec![DeviceRule { kind: Kind::All, major: None, minor: None, access: all }]));
    }
    let rules = DeviceRule::defaults().into_iter().chain(nodes.iter().map(|node| node.rule)).chain(asked);
    Ok(Some(rules.collect()))
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
