//! Ids, capabilities and seccomp of a process: `/proc/PID/status`, `uid_map` and `gid_map`.

use std::collections::BTreeMap;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What [`Evidence`](crate::Evidence) takes from `/proc/PID/status` (proc_pid_status(5)).
#[derive(Debug, Clone)]
pub struct Status {
    /// The name of the program.
    pub name: String,
    /// The parent's process id.
    pub parent: i32,
    /// User and group ids.
    pub ids: Ids,
    /// Capability sets.
    pub capabilities: Capabilities,
    /// `NoNewPrivs`.
    pub no_new_privs: bool,
    /// `Seccomp`, as a word.
    pub seccomp: String,
}

/// User and group ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// User ids.
    pub uid: Four,
    /// Group ids.
    pub gid: Four,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// How user ids in its user namespace map to ids of the namespace above.
    pub uid_map: Vec<Range>,
    /// How group ids map.
    pub gid_map: Vec<Range>,
}

/// The four ids that a process has of each kind (credentials(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Four {
    /// Who started it.
    pub real: u32,
    /// Who it acts as.
    pub effective: u32,
    /// Who it can go back to being.
    pub saved: u32,
    /// Who it is to file systems.
    pub filesystem: u32,
}

/// A line of `uid_map`: `count` ids from `inside` on are `outside` and following.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first id inside.
    pub inside: u32,
    /// The first id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// The capability sets (capabilities(7)), as names without `CAP_`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// What the kernel checks.
    pub effective: Vec<String>,
    /// What the process may make effective.
    pub permitted: Vec<String>,
    /// What it keeps across an execve of a file that has the same.
    pub inheritable: Vec<String>,
    /// The most that an execve can give.
    pub bounding: Vec<String>,
    /// What it keeps across any execve.
    pub ambient: Vec<String>,
}

impl Status {
    /// Reads it for `pid`.
    pub fn of(pid: Pid) -> Result<Status> {
        let path = format!("/proc/{pid}/status");
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, &e))?;
        let fields: BTreeMap<&str, &str> =
            text.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key, value.trim())).collect();
        parse(&fields, pid).ok_or_else(|| Error::Content { object: path, problem: "a field is missing".into() })
    }
}

fn parse(fields: &BTreeMap<&str, &str>, pid: Pid) -> Option<Status> {
    let field = |name: &str| fields.get(name).copied();
    let set = |name: &str| field(name).and_then(|hex| u64::from_str_radix(hex, 16).ok()).map(names);
    Some(Status {
        name: field("Name")?.to_owned(),
        parent: field("PPid")?.parse().ok()?,
        ids: Ids {
            uid: four(field("Uid")?)?,
            gid: four(field("Gid")?)?,
            groups: field("Groups")?.split_whitespace().map(|id| id.parse().ok()).collect::<Option<_>>()?,
            uid_map: map(pid, "uid_map"),
            gid_map: map(pid, "gid_map"),
        },
        capabilities: Capabilities {
            effective: set("CapEff")?,
            permitted: set("CapPrm")?,
            inheritable: set("CapInh")?,
            bounding: set("CapBnd")?,
            ambient: set("CapAmb").unwrap_or_default(),
        },
        no_new_privs: field("NoNewPrivs") == Some("1"),
        seccomp: match field("Seccomp") {
            Some("1") => "strict",
            Some("2") => "filter",
            _ => "disabled",
        }
        .to_owned(),
    })
}

fn four(text: &str) -> Option<Four> {
    let mut ids = text.split_whitespace().map(|id| id.parse().ok());
    Some(Four { real: ids.next()??, effective: ids.next()??, saved: ids.next()??, filesystem: ids.next()?? })
}

/// The ranges of a map; none where it is not to be read, or not yet written.
fn map(pid: Pid, file: &str) -> Vec<Range> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
            Some(Range { inside: numbers.next()??, outside: numbers.next()??, count: numbers.next()?? })
        })
        .collect()
}

/// The names of the bits in a capability set.
fn names(set: u64) -> Vec<String> {
    (0..64)
        .filter(|bit| set & (1 << bit) != 0)
        .map(|bit| CAPABILITIES.get(bit).map_or_else(|| format!("CAP_{bit}"), |name| (*name).to_owned()))
        .collect()
}

/// The capabilities by their number (linux/capability.h), without `CAP_`.
pub const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_have_their_names() {
        assert_eq!(names(0), [""; 0]);
        assert_eq!(names(1 << 21 | 1), ["CHOWN", "SYS_ADMIN"]);
        assert_eq!(names(1 << 63), ["CAP_63"]);
    }

    #[test]
    fn four_ids_or_nothing() {
        assert_eq!(four("1 2 3 4"), Some(Four { real: 1, effective: 2, saved: 3, filesystem: 4 }));
        assert_eq!(four("1 2 3"), None);
    }
}
