//! The mount table of a process: `/proc/PID/mountinfo` (proc_pid_mountinfo(5)).

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// One mount, as one process sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// The mount's number.
    pub id: u64,
    /// The number of the mount that it is on.
    pub parent: u64,
    /// Which directory of the file system is mounted.
    pub root: String,
    /// Where, seen from the root of the process.
    pub target: String,
    /// The type of the file system.
    pub fstype: String,
    /// What was mounted: a device, or a word.
    pub source: String,
    /// Options of this mount, such as `ro` or `nosuid`.
    pub options: Vec<String>,
    /// How mounts below this one travel: `private`, `shared:N`, `master:N`, …
    pub propagation: Vec<String>,
}

impl Mount {
    /// Whether a mount made below this one shows up elsewhere too.
    pub fn is_shared(&self) -> bool {
        self.propagation.iter().any(|tag| tag.starts_with("shared:"))
    }
}

/// Reads the mount table of `pid`.
pub fn mounts_of(pid: Pid) -> Result<Vec<Mount>> {
    let path = format!("/proc/{pid}/mountinfo");
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, &e))?;
    text.lines()
        .map(|line| {
            parse(line).ok_or_else(|| Error::Content { object: path.clone(), problem: format!("unknown line: {line}") })
        })
        .collect()
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`
pub(crate) fn parse(line: &str) -> Option<Mount> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut mount = mount.split(' ');
    let mut file_system = file_system.split(' ');
    let id = mount.next()?.parse().ok()?;
    let parent = mount.next()?.parse().ok()?;
    let _device = mount.next()?;
    let root = unescape(mount.next()?);
    let target = unescape(mount.next()?);
    let options = mount.next()?.split(',').map(str::to_owned).collect();
    let mut propagation: Vec<String> = mount.map(str::to_owned).collect();
    if propagation.is_empty() {
        propagation.push("private".into());
    }
    Some(Mount {
        id,
        parent,
        root,
        target,
        fstype: unescape(file_system.next()?),
        source: unescape(file_system.next()?),
        options,
        propagation,
    })
}

/// Undoes the kernel's escapes for space, tab, newline and backslash: `\040` and so on.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|_| first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_every_field() {
        let mount = parse("36 35 98:0 /a\\040b /mnt2 rw,noatime shared:3 master:1 - ext3 /dev/root rw").unwrap();
        assert_eq!(mount.root, "/a b");
        assert_eq!((mount.id, mount.parent), (36, 35));
        assert_eq!(mount.options, ["rw", "noatime"]);
        assert_eq!(mount.propagation, ["shared:3", "master:1"]);
        assert_eq!((mount.fstype.as_str(), mount.source.as_str()), ("ext3", "/dev/root"));
        assert!(mount.is_shared());
    }

    #[test]
    fn no_tag_means_private() {
        let mount = parse("1 0 0:1 / / rw - tmpfs none rw").unwrap();
        assert_eq!(mount.propagation, ["private"]);
    }

    #[test]
    fn a_broken_line_is_not_a_mount() {
        assert_eq!(parse("36 35 98:0 /a /b rw"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_backslash_that_escapes_nothing_stays() {
        assert_eq!(unescape(r"a\b\04"), r"a\b\04");
    }
}
