//! Which devices a container may use.
//!
//! A device node is a file, but who may make one can make any: `mknod` with a disk's numbers is the disk. The
//! kernel has a second check, by cgroup, each time that a device is opened or made. What is not on the list is
//! `EPERM`, whatever the file's mode.
//!
//! In v1 the list is written to two files, `devices.deny` and `devices.allow`. v2 has no files for it: there a small
//! program in the kernel decides ([`program`]), given to it with bpf(2). That takes `CAP_BPF` and `CAP_NET_ADMIN`
//! (or `CAP_SYS_ADMIN`) of the machine itself, which no root of a user namespace has. There nobody can make device
//! nodes either, so nothing is lost.

mod option;
pub mod program;

use std::fmt;
use std::os::fd::AsFd;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use look::kernel;
use nix::errno::Errno;
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use crate::Group;

pub use option::{Device, Node};

/// To be made with mknod(2). The numbers are those of linux/bpf.h.
pub const MKNOD: u8 = 1;
/// To be read.
pub const READ: u8 = 2;
/// To be written.
pub const WRITE: u8 = 4;

/// Devices that may be used, and how. Written as in `--device-cgroup-rule`: `c 1:3 rwm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRule {
    /// Which kind of device.
    pub kind: Kind,
    /// Its driver; `None` for any.
    pub major: Option<u32>,
    /// Which one of its driver; `None` for any.
    pub minor: Option<u32>,
    /// What may be done: a sum of [`MKNOD`], [`READ`] and [`WRITE`].
    pub access: u8,
}

/// The kinds of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Both.
    All,
    /// Disks.
    Block,
    /// All others.
    Char,
}

impl DeviceRule {
    /// What every container may use, as in Docker: any node may be made (as a name it harms nobody), and a few may
    /// be used.
    pub fn defaults() -> Vec<DeviceRule> {
        let rule = |kind, major, minor, access| DeviceRule { kind, major, minor, access };
        let any = [Kind::Char, Kind::Block].map(|kind| rule(kind, None, None, MKNOD));
        // null, zero, full, random, urandom, tty, console, ptmx; then the terminals that ptmx gives.
        let usual = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)]
            .map(|(major, minor)| rule(Kind::Char, Some(major), Some(minor), MKNOD | READ | WRITE));
        let terminals = rule(Kind::Char, Some(136), None, MKNOD | READ | WRITE);
        any.into_iter().chain(usual).chain([terminals]).collect()
    }
}

impl FromStr for DeviceRule {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<DeviceRule> {
        let wrong = || format!("invalid device cgroup format '{text}': such as 'c 1:3 rwm'");
        let [kind, numbers, access] = text.split(' ').collect::<Vec<_>>()[..] else { bail!(wrong()) };
        let kind = match kind {
            "a" => Kind::All,
            "b" => Kind::Block,
            "c" => Kind::Char,
            _ => bail!(wrong()),
        };
        let number = |text: &str| match text {
            "*" => Ok(None),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().map(Some).with_context(wrong),
            _ => bail!(wrong()),
        };
        let (major, minor) = numbers.split_once(':').with_context(wrong)?;
        Ok(DeviceRule {
            kind,
            major: number(major)?,
            minor: number(minor)?,
            access: parse_access(access).with_context(wrong)?,
        })
    }
}

/// Reads `rwm`, or some of it.
fn parse_access(text: &str) -> Option<u8> {
    let bit = |letter| match letter {
        'r' => Some(READ),
        'w' => Some(WRITE),
        'm' => Some(MKNOD),
        _ => None,
    };
    text.chars().try_fold(0, |access, letter| Some(access | bit(letter)?)).filter(|access| *access != 0)
}

impl fmt::Display for DeviceRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::All => 'a',
            Kind::Block => 'b',
            Kind::Char => 'c',
        };
        let number = |number: Option<u32>| number.map_or("*".to_owned(), |number| number.to_string());
        let letters = [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')];
        let access: String =
            letters.iter().filter(|(bit, _)| self.access & bit != 0).map(|(_, letter)| letter).collect();
        write!(f, "{kind} {}:{} {access}", number(self.major), number(self.minor))
    }
}

/// Allows the group the devices of `rules` and no others. Done before anybody is in it.
pub(crate) fn restrict(group: &Group, rules: &[DeviceRule]) -> Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    if let Some(dir) = group.tree("devices") {
        kernel::write_cgroup(dir, "devices.deny", "a", "no device but those that follow")?;
        for rule in rules {
            kernel::write_cgroup(dir, "devices.allow", &rule.to_string(), "this one may be used")?;
        }
        return Ok(());
    }
    let refused = match &group.v2 {
        Some(v2) => attach(v2, rules).err(),
        None => bail!("device rules need a cgroup: this machine has no devices controller that can be used"),
    };
    match refused {
        // Root of a user namespace only, for whom there are no device nodes to be made.
        Some(error) if error.errno() == Some(Errno::EPERM) && !is_the_machines_root() => Ok(()),
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn attach(v2: &crate::group::Unified, rules: &[DeviceRule]) -> look::Result<()> {
    let program =
        kernel::load_device_program(&program::assemble(rules), "decides for each device that is opened or made")?;
    kernel::attach_device_program(
        v2.fd(),
        &v2.path.display().to_string(),
        program.as_fd(),
        "ask it for all processes in here",
    )
}

/// Whether this process's user namespace is the machine's: there every id is what it is.
fn is_the_machines_root() -> bool {
    std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| map.split_whitespace().eq(["0", "0", "4294967295"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written() {
        for text in ["c 1:3 rwm", "b *:* m", "c 136:* rw", "a *:* rwm", "b 8:0 r"] {
            assert_eq!(text.parse::<DeviceRule>().unwrap().to_string(), text);
        }
        assert_eq!("c 1:3 mr".parse::<DeviceRule>().unwrap().access, MKNOD | READ);
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            "c 1:3",
            "c 1 rwm",
            "d 1:3 rwm",
            "c 1:3 x",
            "c 1:3 ",
            "c -1:3 r",
            "c 1:+3 r",
            "c  1:3 r",
            "c :3 r",
            "c 1:99999999999 r",
        ] {
            let error = text.parse::<DeviceRule>().unwrap_err().to_string();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
    }
}
