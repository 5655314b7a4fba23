//! Kernel settings of the container's own namespaces: `--sysctl`, proc_sys(5).
//!
//! Most files of `/proc/sys` are the machine's, and a container must not write them. Some belong to an IPC, UTS or
//! network namespace: those, and only if the container has such a namespace of its own.

use std::os::fd::AsFd;

use chroot::inside::Root;
use look::kernel::{self, CloneFlags};
use look::{Error, Result};
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    /// Its file below `/proc/sys`: `net/ipv4/ip_forward`.
    file: String,
    value: String,
}

/// What belongs to an IPC namespace (ipc_namespaces(7)).
const IPC: [&str; 9] = [
    "kernel/msgmax",
    "kernel/msgmnb",
    "kernel/msgmni",
    "kernel/sem",
    "kernel/shmall",
    "kernel/shmmax",
    "kernel/shmmni",
    "kernel/shm_rmid_forced",
    "fs/mqueue",
];

/// What belongs to a UTS namespace, and has options of its own.
const UTS: [&str; 1] = ["kernel/domainname"];

impl Sysctl {
    /// Reads `NAME=VALUE`, for a container with these namespaces of its `own`. Names are parted by dots or slashes; with
    /// slashes, a dot is part of a name, as in `net/ipv4/conf/eth0.1/forwarding`.
    pub fn parse(text: &str, own: CloneFlags) -> std::result::Result<Sysctl, String> {
        let (name, value) = text.split_once('=').ok_or_else(|| format!("invalid sysctl: {text}; it is NAME=VALUE"))?;
        let file = if name.contains('/') { name.to_owned() } else { name.replace('.', "/") };
        let steps = |part: &str| part.is_empty() || part == "." || part == "..";
        if file.split('/').any(steps) || file.contains('\0') || value.contains(['\0', '\n']) {
            return Err(format!("invalid sysctl: {text}"));
        }
        let needs = namespace_of(&file)
            .ok_or_else(|| format!("sysctl '{name}' is not whitelisted: it is a setting of the whole machine"))?;
        if !own.contains(needs) {
            return Err(format!("sysctl '{name}' is not allowed: the container has no such namespace of its own"));
        }
        Ok(Sysctl { file, value: value.to_owned() })
    }

    /// Writes it, in the `/proc/sys` of `root`. For a process that is in the container's namespaces.
    pub fn apply(&self, root: &Root) -> Result<()> {
        let path = format!("/proc/sys/{}", self.file);
        let file = root
            .open_no_symlinks(&path, OFlag::O_WRONLY, Mode::empty())
            .map_err(|errno| Error::call("open", &path, errno))?;
        kernel::write_setting(file.as_fd(), &path, &self.value, "a setting of the container's own namespaces")
    }
}

/// The kind of namespace that a setting belongs to.
fn namespace_of(file: &str) -> Option<CloneFlags> {
    let among = |list: &[&str]| list.iter().any(|known| file == *known || file.starts_with(&format!("{known}/")));
    match file {
        _ if file.starts_with("net/") => Some(CloneFlags::CLONE_NEWNET),
        _ if among(&IPC) => Some(CloneFlags::CLONE_NEWIPC),
        _ if among(&UTS) => Some(CloneFlags::CLONE_NEWUTS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_ones_own_namespaces() {
        let own = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC;
        let parse = |text| Sysctl::parse(text, own);
        assert_eq!(parse("net.ipv4.ip_forward=1").unwrap().file, "net/ipv4/ip_forward");
        assert_eq!(parse("net/ipv4/conf/eth0.1/forwarding=1").unwrap().file, "net/ipv4/conf/eth0.1/forwarding");
        assert_eq!(parse("kernel.shmmax=65536").unwrap().value, "65536");
        assert_eq!(parse("fs.mqueue.msg_max=20").unwrap().file, "fs/mqueue/msg_max");
    }

    #[test]
    fn settings_of_the_machine_and_ways_around() {
        let own = CloneFlags::CLONE_NEWIPC;
        for (text, says) in [
            ("kernel.core_pattern=|/x", "a setting of the whole machine"),
            ("net.ipv4.ip_forward=1", "no such namespace of its own"),
            ("kernel/shmmax/../core_pattern=x", "invalid sysctl"),
            ("kernel.shmmax", "NAME=VALUE"),
            ("kernel.shm_rmid_forced_not=1", "a setting of the whole machine"),
            ("kernel.shmmax=1\n2", "invalid sysctl"),
        ] {
            let problem = Sysctl::parse(text, own).unwrap_err();
            assert!(problem.contains(says), "{text}: {problem}");
        }
    }
}
