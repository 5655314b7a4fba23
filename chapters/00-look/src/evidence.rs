//! All that the kernel says about one process, in one record.

use std::os::unix::fs::MetadataExt;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::cgroups::{self, Cgroup};
use crate::error::{Error, Result};
use crate::mountinfo::{self, Mount};
use crate::namespaces::{Namespaces, namespaces_of};
use crate::network::{self, Network};
use crate::status::{self, Capabilities, Ids};

/// A fact, or the reason why the kernel does not tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen<T> {
    /// The fact.
    Value(T),
    /// Why it is not known.
    Hidden(String),
}

impl<T> Seen<T> {
    /// The fact, if it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Seen::Value(value) => Some(value),
            Seen::Hidden(_) => None,
        }
    }
}

impl<T> From<Result<T>> for Seen<T> {
    fn from(result: Result<T>) -> Self {
        match result {
            Ok(value) => Seen::Value(value),
            Err(error) => Seen::Hidden(error.to_string()),
        }
    }
}

/// What the kernel says about one process, read from outside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The process id, in the namespace of whoever looked.
    pub pid: i32,
    /// Its parent, likewise.
    pub parent: i32,
    /// The name of the program (`comm`), at most 15 bytes.
    pub command: String,
    /// The namespaces that it is in.
    pub namespaces: Seen<Namespaces>,
    /// Where its absolute paths start.
    pub root: Seen<Place>,
    /// Where its relative paths start.
    pub cwd: Seen<Place>,
    /// The mounts that it sees.
    pub mounts: Seen<Vec<Mount>>,
    /// Its user and group ids, and what they mean outside.
    pub ids: Ids,
    /// What it may do of what only root may.
    pub capabilities: Capabilities,
    /// Whether execve can no longer give it more privileges.
    pub no_new_privs: bool,
    /// `disabled`, `strict` or `filter`.
    pub seccomp: String,
    /// The cgroups that it is in, with the limits that it has there.
    pub cgroups: Seen<Vec<Cgroup>>,
    /// What it holds open.
    pub descriptors: Seen<Vec<Descriptor>>,
    /// The links and addresses of its network namespace.
    pub network: Seen<Network>,
}

/// A directory, by the path that the kernel gives for it and by what does not depend on paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// As the kernel names it to whoever looked.
    pub path: String,
    /// The device number of the file system.
    pub device: u64,
    /// The inode number in it.
    pub inode: u64,
}

/// An open file descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Its number.
    pub number: u32,
    /// What it refers to: a path, `pipe:[…]`, `socket:[…]`.
    pub target: String,
}

impl Evidence {
    /// Collects everything about `pid`.
    ///
    /// Fails only if there is no such process; what may not be read is [`Seen::Hidden`].
    pub fn of(pid: Pid) -> Result<Evidence> {
        let status = status::Status::of(pid)?;
        Ok(Evidence {
            pid: pid.as_raw(),
            parent: status.parent,
            command: status.name,
            namespaces: namespaces_of(pid).into(),
            root: place(pid, "root").into(),
            cwd: place(pid, "cwd").into(),
            mounts: mountinfo::mounts_of(pid).into(),
            ids: status.ids,
            capabilities: status.capabilities,
            no_new_privs: status.no_new_privs,
            seccomp: status.seccomp,
            cgroups: cgroups::cgroups_of(pid).into(),
            descriptors: descriptors(pid).into(),
            network: network::network_of(pid).into(),
        })
    }
}

/// Follows `/proc/PID/root` or `/proc/PID/cwd`. These are not symlinks but doors: the kernel leads to the very
/// directory, even where the printed path would lead somewhere else.
fn place(pid: Pid, link: &str) -> Result<Place> {
    let door = format!("/proc/{pid}/{link}");
    let path = std::fs::read_link(&door).map_err(|e| Error::io("readlink", &door, &e))?;
    let directory = std::fs::metadata(&door).map_err(|e| Error::io("stat", &door, &e))?;
    Ok(Place { path: path.to_string_lossy().into_owned(), device: directory.dev(), inode: directory.ino() })
}

fn descriptors(pid: Pid) -> Result<Vec<Descriptor>> {
    let dir = format!("/proc/{pid}/fd");
    let entries = std::fs::read_dir(&dir).map_err(|e| Error::io("opendir", &dir, &e))?;
    let mut found: Vec<Descriptor> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let number = entry.file_name().to_str()?.parse().ok()?;
            let target = std::fs::read_link(entry.path()).ok()?;
            Some(Descriptor { number, target: target.to_string_lossy().into_owned() })
        })
        .collect();
    found.sort_by_key(|descriptor| descriptor.number);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_can_look_at_itself() {
        let me = Evidence::of(nix::unistd::getpid()).unwrap();
        assert_eq!(me.namespaces.value().unwrap()[&crate::Kind::Mnt], inode("/proc/self/ns/mnt"));
        let root = std::fs::metadata("/").unwrap();
        let seen = me.root.value().unwrap();
        assert_eq!((seen.device, seen.inode), (root.dev(), root.ino()));
        assert!(me.mounts.value().unwrap().iter().any(|mount| mount.target == "/proc"));
        assert!(me.descriptors.value().unwrap().iter().any(|descriptor| descriptor.number == 2));
        assert_eq!(me.ids.uid.effective, nix::unistd::geteuid().as_raw());
    }

    #[test]
    fn it_survives_json() {
        let me = Evidence::of(nix::unistd::getpid()).unwrap();
        let text = serde_json::to_string(&me).unwrap();
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), me);
    }

    #[test]
    fn no_such_process_is_an_error_that_names_it() {
        let error = Evidence::of(Pid::from_raw(i32::MAX)).unwrap_err();
        assert_eq!(error.to_string(), "read /proc/2147483647/status: ENOENT (No such file or directory)");
    }

    fn inode(path: &str) -> u64 {
        std::fs::metadata(path).unwrap().ino()
    }
}
