//! Whether what is asked for can be had: each option of the sandbox, read and checked before anything is done.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use cgroups::DeviceRule;
use cgroups::devices::{Device, Kind, Node};
use chroot::inside::Root;
use look::kernel::{self, CapabilitySet, CloneFlags};
use sandbox::seccomp::{self, Profile, Program};
use sandbox::sysctls::Sysctl;
use sandbox::user::{self, User};
use sandbox::{apparmor, capabilities, devices};

use crate::container::options::{AppArmor, Confinement, Seccomp};
use crate::container::sharing::Sharing;

/// A seccomp profile is some 10 kB.
const LONGEST_PROFILE: u64 = 4 << 20;

/// The capabilities that are wanted, less those that root of this machine lacks itself. Root of a new user namespace has
/// all of them.
pub fn powers(wanted: &Confinement, rootless: bool) -> Result<CapabilitySet> {
    let chosen = match wanted.privileged {
        true => CapabilitySet::all(),
        false => capabilities::choose(&wanted.cap_add, &wanted.cap_drop).map_err(anyhow::Error::msg)?,
    };
    if rootless {
        return Ok(chosen);
    }
    let held = kernel::permitted_capabilities();
    for name in &wanted.cap_add {
        let known = capabilities::plain(name);
        ensure!(
            known == "ALL" || held.contains(&known),
            "--cap-add {name}: root of this machine does not have it either"
        );
    }
    Ok(chosen.without(CapabilitySet::all().without(held)))
}

/// The supplementary groups. The user's own is among them: else a set-group-ID program would leave that group, and
/// with it what files deny to its members (CVE-2022-36109).
pub fn groups(wanted: &[String], sharing: &Sharing, tree: &Root, user: &User) -> Result<Vec<u32>> {
    let others = user.groups.iter().copied().chain(wanted_groups(wanted, sharing, tree)?);
    // The image's user may be in very many groups, and in one of them very often.
    let groups: BTreeSet<u32> = others.chain([user.gid]).collect();
    Ok(groups.into_iter().collect())
}

fn wanted_groups(wanted: &[String], sharing: &Sharing, tree: &Root) -> Result<Vec<u32>> {
    let find = |name: &String| {
        let group = user::group(tree, name)?;
        ensure!(sharing.has_ids(0, group), "--group-add {name}: /etc/subgid does not lend you group {group}");
        Ok(group)
    };
    wanted.iter().map(find).collect()
}

/// What is asked for, after what every container with a network of its own has, as in Docker: in there no port needs
/// privileges, and anybody may ping.
pub fn sysctls(wanted: &Confinement, sharing: &Sharing) -> Result<Vec<Sysctl>> {
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

/// The filter of kernel calls, for a container with these capabilities.
pub fn program(wanted: &Seccomp, keep: CapabilitySet) -> Result<Option<Program>> {
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
    let file = std::fs::canonicalize(path)?;
    Root::new(Path::new("/"))?.read_file(&file, LONGEST_PROFILE)?.context("there is no such file")
}

/// The name of the AppArmor profile, if there is to be one.
pub fn profile(wanted: &AppArmor, rootless: bool) -> Result<Option<String>> {
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

/// The devices of the host that the container is to have.
pub fn nodes(wanted: &Confinement, rootless: bool) -> Result<Vec<Node>> {
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

/// Which devices may be used, by their numbers, whatever the node is called. `None` for an ordinary user, who cannot make device nodes.
pub fn device_rules(wanted: &Confinement, nodes: &[Node], rootless: bool) -> Result<Option<Vec<DeviceRule>>> {
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
