//! Which namespaces a process is in.

use std::collections::BTreeMap;
use std::fmt;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The eight kinds of namespaces (namespaces(7)), in the order in which the course meets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Mount points.
    Mnt,
    /// Process ids.
    Pid,
    /// Host and domain name.
    Uts,
    /// System V IPC and POSIX message queues.
    Ipc,
    /// User and group ids, and capabilities.
    User,
    /// Control group roots.
    Cgroup,
    /// Network devices, addresses, routes, ports.
    Net,
    /// Boot and monotonic clocks.
    Time,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 8] =
        [Kind::Mnt, Kind::Pid, Kind::Uts, Kind::Ipc, Kind::User, Kind::Cgroup, Kind::Net, Kind::Time];

    /// The name of the link in `/proc/PID/ns`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Mnt => "mnt",
            Kind::Pid => "pid",
            Kind::Uts => "uts",
            Kind::Ipc => "ipc",
            Kind::User => "user",
            Kind::Cgroup => "cgroup",
            Kind::Net => "net",
            Kind::Time => "time",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The namespaces of a process: for each kind, the inode number by which the kernel knows it.
///
/// Two processes are in the same namespace exactly when the numbers are the same.
pub type Namespaces = BTreeMap<Kind, u64>;

// ANCHOR: namespaces_of
/// Reads which namespaces the process `pid` is in, from the links in `/proc/PID/ns`.
///
/// Each link reads `mnt:[4026531841]`: the kind, and the inode number of the namespace. A kind that this kernel
/// does not have is left out. See namespaces(7), "The /proc/pid/ns/ directory".
pub fn namespaces_of(pid: Pid) -> Result<Namespaces> {
    // SOLUTION: namespaces_of
    let mut namespaces = Namespaces::new();
    for kind in Kind::ALL {
        let link = format!("/proc/{pid}/ns/{kind}");
        let text = match std::fs::read_link(&link) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && process_exists(pid) => continue,
            Err(error) => return Err(Error::io("readlink", &link, &error)),
        };
        namespaces.insert(kind, inode_in(&text.to_string_lossy(), &link)?);
    }
    Ok(namespaces)
    // SOLUTION_END
}
// ANCHOR_END: namespaces_of

// SOLUTION: namespaces_of
/// The number in `mnt:[4026531841]`.
fn inode_in(text: &str, link: &str) -> Result<u64> {
    text.split_once(":[")
        .and_then(|(_, rest)| rest.strip_suffix(']'))
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Error::Content { object: link.into(), problem: format!("expected kind:[inode], found {text}") })
}

fn process_exists(pid: Pid) -> bool {
    std::path::Path::new(&format!("/proc/{pid}/ns")).exists()
}
// SOLUTION_END
