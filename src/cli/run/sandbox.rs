//! Options about what a container may do: chapter 8.

use anyhow::{Result, bail};
use clap::{Arg, ArgMatches};

use crate::cli::options::{flag, texts, values};
use crate::container::{AppArmor, Confinement, Seccomp};

/// The options.
pub fn arguments() -> [Arg; 11] {
    [
        values("cap-add", "CAPABILITY", "Give it one more of root's powers, or ALL"),
        values("cap-drop", "CAPABILITY", "Take one away, or ALL"),
        flag("privileged", "Open the sandbox: all powers, all devices, no filter, nothing hidden"),
        values(
            "security-opt",
            "OPTION",
            "seccomp=FILE|unconfined, apparmor=PROFILE|unconfined, no-new-privileges=false, systempaths=unconfined",
        ),
        values("device", "HOST[:INSIDE[:rwm]]", "A device of the machine for the container"),
        values("device-cgroup-rule", "RULE", "Devices that may be used: 'c 188:* rwm'"),
        flag("read-only", "Nothing can be written to its root"),
        values("tmpfs", "DIR[:OPTIONS]", "A directory in memory: /run:size=64m,mode=1777"),
        values("ulimit", "NAME=SOFT[:HARD]", "A limit on each process: nofile=1024:2048"),
        values("sysctl", "NAME=VALUE", "A kernel setting of its own namespaces: net.ipv4.ip_forward=1"),
        values("group-add", "GROUP", "One more group for the user, by name or number"),
    ]
}

/// What they say.
pub fn read(matches: &ArgMatches) -> Result<Confinement> {
    let privileged = matches.get_flag("privileged");
    let mut wanted = Confinement {
        cap_add: texts(matches, "cap-add"),
        cap_drop: texts(matches, "cap-drop"),
        privileged,
        devices: texts(matches, "device"),
        device_rules: texts(matches, "device-cgroup-rule"),
        read_only: matches.get_flag("read-only"),
        tmpfs: each(matches, "tmpfs")?,
        ulimits: each(matches, "ulimit")?,
        sysctls: texts(matches, "sysctl"),
        groups: texts(matches, "group-add"),
        seccomp: if privileged { Seccomp::Unconfined } else { Seccomp::Default },
        apparmor: if privileged { AppArmor::Unconfined } else { AppArmor::Default },
        new_privileges: privileged,
        system_paths: privileged,
    };
    for option in texts(matches, "security-opt") {
        security_option(&mut wanted, &option)?;
    }
    Ok(wanted)
}

fn each<T: std::str::FromStr<Err = String>>(matches: &ArgMatches, name: &str) -> Result<Vec<T>> {
    texts(matches, name).iter().map(|text| text.parse().map_err(anyhow::Error::msg)).collect()
}

/// `KEY=VALUE`, or Docker's older `KEY:VALUE`.
fn security_option(wanted: &mut Confinement, option: &str) -> Result<()> {
    let (key, value) = option.split_once(['=', ':']).unwrap_or((option, ""));
    match (key, value) {
        ("seccomp", "unconfined") => wanted.seccomp = Seccomp::Unconfined,
        ("seccomp", "builtin" | "default") => wanted.seccomp = Seccomp::Default,
        ("seccomp", file) if !file.is_empty() => wanted.seccomp = Seccomp::File(file.into()),
        ("apparmor", "unconfined") => wanted.apparmor = AppArmor::Unconfined,
        ("apparmor", profile) if !profile.is_empty() => wanted.apparmor = AppArmor::Profile(profile.to_owned()),
        ("no-new-privileges", "" | "true") => wanted.new_privileges = false,
        ("no-new-privileges", "false") => wanted.new_privileges = true,
        ("systempaths", "unconfined") => wanted.system_paths = true,
        // There are no labels to leave away.
        ("label", "disable") => {}
        ("label", _) => bail!("--security-opt {option}: there are no SELinux labels here, only label=disable"),
        _ => bail!(
            "invalid --security-opt: {option}\n  help: there are seccomp=FILE|unconfined, \
             apparmor=PROFILE|unconfined, no-new-privileges[=false] and systempaths=unconfined"
        ),
    }
    Ok(())
}
