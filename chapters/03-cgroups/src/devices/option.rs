//! `--device HOST[:CONTAINER[:rwm]]`: a device of the host in the container.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::stat::{major, minor};
use serde::{Deserialize, Serialize};

use super::{DeviceRule, Kind, parse_access};

/// A device as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its path on the host: a device node, or a directory of some.
    pub host: PathBuf,
    /// Its path in the container.
    pub container: PathBuf,
    /// What may be done with it: a sum of [`MKNOD`](super::MKNOD), [`READ`](super::READ) and [`WRITE`](super::WRITE).
    pub access: u8,
}

/// A device node of the host that is to be seen in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its path on the host.
    pub host: PathBuf,
    /// Its path in the container.
    pub container: PathBuf,
    /// Which device it is, and what may be done with it.
    pub rule: DeviceRule,
}

impl FromStr for Device {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Device> {
        let parts: Vec<&str> = text.split(':').collect();
        let (host, container, access) = match parts[..] {
            [host] => (host, host, "rwm"),
            [host, access] if parse_access(access).is_some() => (host, host, access),
            [host, container] => (host, container, "rwm"),
            [host, container, access] => (host, container, access),
            _ => bail!("invalid device specification: '{text}': HOST[:CONTAINER[:rwm]]"),
        };
        let access = parse_access(access)
            .with_context(|| format!("invalid device mode: '{access}' in '{text}': letters of rwm"))?;
        for path in [host, container] {
            ensure!(path.starts_with('/'), "invalid device specification: '{text}': paths begin with /");
        }
        Ok(Device { host: host.into(), container: container.into(), access })
    }
}

impl Device {
    /// The nodes that this is: one, or all those in a directory, as in Docker.
    pub fn nodes(&self) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        self.collect(&self.host, &mut nodes)?;
        ensure!(!nodes.is_empty(), "{} is not a device node, and no directory that has some", self.host.display());
        Ok(nodes)
    }

    fn collect(&self, host: &Path, nodes: &mut Vec<Node>) -> Result<()> {
        let found =
            std::fs::metadata(host).with_context(|| format!("gather device information of {}", host.display()))?;
        if found.is_dir() {
            let mut names: Vec<_> = std::fs::read_dir(host)?.collect::<std::io::Result<_>>()?;
            names.sort_by_key(std::fs::DirEntry::file_name);
            // Links in it could lead around in a circle.
            let real = names.iter().filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()));
            return real.map(std::fs::DirEntry::path).try_for_each(|path| self.collect(&path, nodes));
        }
        let kind = match found.file_type() {
            kind if kind.is_char_device() => Kind::Char,
            kind if kind.is_block_device() => Kind::Block,
            _ => return Ok(()),
        };
        let below = host.strip_prefix(&self.host).unwrap_or(Path::new(""));
        let container = if below.as_os_str().is_empty() { self.container.clone() } else { self.container.join(below) };
        let (major, minor) = (Some(major(found.rdev()) as u32), Some(minor(found.rdev()) as u32));
        let rule = DeviceRule { kind, major, minor, access: self.access };
        nodes.push(Node { host: host.to_owned(), container, rule });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MKNOD, READ, WRITE};
    use super::*;

    fn device(host: &str, container: &str, access: u8) -> Device {
        Device { host: host.into(), container: container.into(), access }
    }

    #[test]
    fn dockers_forms() {
        let all = READ | WRITE | MKNOD;
        for (text, expected) in [
            ("/dev/null", device("/dev/null", "/dev/null", all)),
            ("/dev/null:/dev/hole", device("/dev/null", "/dev/hole", all)),
            ("/dev/null:/dev/hole:r", device("/dev/null", "/dev/hole", READ)),
            ("/dev/null:rw", device("/dev/null", "/dev/null", READ | WRITE)),
        ] {
            assert_eq!(text.parse::<Device>().unwrap(), expected, "{text}");
        }
        for text in ["", "dev/null", "/dev/null:/dev/hole:x", "/dev/null:/a:r:b", "/dev/null:hole", "/dev/null::r"] {
            assert!(text.parse::<Device>().unwrap_err().to_string().contains(&format!("'{text}'")), "{text}");
        }
    }

    #[test]
    fn the_nodes_of_the_host() {
        let [node] = &"/dev/null:/dev/hole:rw".parse::<Device>().unwrap().nodes().unwrap()[..] else { panic!() };
        assert_eq!((node.rule.to_string(), node.container.as_path()), ("c 1:3 rw".into(), Path::new("/dev/hole")));
        assert!(
            "/etc/passwd"
                .parse::<Device>()
                .unwrap()
                .nodes()
                .unwrap_err()
                .to_string()
                .contains("/etc/passwd is not a device")
        );
        assert!("/dev/no-such".parse::<Device>().unwrap().nodes().is_err());
    }
}
