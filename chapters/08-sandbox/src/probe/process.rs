//! What `/proc/self` says beyond the evidence of chapter 0.

use std::collections::BTreeMap;
use std::fs;

use look::evidence::{Descriptor, Evidence, Seen};
use look::{Error, Kind};
use serde::{Deserialize, Serialize};

use super::paths::{self, Path};

/// Facts about this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// How many seccomp filters it has; none if the kernel does not say.
    pub filters: Option<u32>,
    /// Its label by AppArmor, SELinux or Smack; none where there is no such module, or no label.
    pub label: Option<String>,
    /// Soft and hard resource limits (getrlimit(2)), by name, as `/proc/self/limits` words them.
    pub limits: BTreeMap<String, (String, String)>,
    /// What it was given open besides its standard input, output and error.
    pub inherited: Vec<Descriptor>,
    /// The program that it runs, and whether that can be opened for writing.
    pub program: Path,
}

/// Reads them. Fails if `/proc` is not there.
pub fn process() -> look::Result<Process> {
    Ok(Process {
        inherited: inherited(),
        filters: field("/proc/self/status", "Seccomp_filters:")?,
        label: label(),
        limits: limits(&read("/proc/self/limits")?),
        program: paths::look_at("/proc/self/exe"),
    })
}

fn read(path: &str) -> look::Result<String> {
    fs::read_to_string(path).map_err(|error| Error::io("read", path, &error))
}

fn field(path: &str, name: &str) -> look::Result<Option<u32>> {
    Ok(read(path)?.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()))
}

fn label() -> Option<String> {
    let label = fs::read_to_string("/proc/self/attr/current").ok()?;
    let label = label.trim_end_matches(['\0', '\n']);
    (!label.is_empty()).then(|| label.to_owned())
}

/// `Max open files            1024                 4096                 files`
fn limits(text: &str) -> BTreeMap<String, (String, String)> {
    let columns = |line: &str| {
        let (name, rest) = (line.get(..26)?, line.get(26..)?);
        let mut values = rest.split_whitespace();
        let name = name.trim().trim_start_matches("Max ").to_owned();
        Some((name, (values.next()?.to_owned(), values.next()?.to_owned())))
    };
    text.lines().skip(1).filter_map(columns).collect()
}

/// The open descriptors. The one through which they are listed is not among them: it is gone when its link is read.
fn inherited() -> Vec<Descriptor> {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let numbers: Vec<u32> = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    let open = |number: &u32| {
        let target = fs::read_link(format!("/proc/self/fd/{number}")).ok()?;
        Some(Descriptor { number: *number, target: target.to_string_lossy().into_owned() })
    };
    numbers.iter().filter(|number| **number > 2).filter_map(open).collect()
}

/// The kinds of namespace that two processes have in common. They must have been looked at on the same machine.
pub fn shared(one: &Evidence, other: &Evidence) -> Vec<Kind> {
    let (Seen::Value(one), Seen::Value(other)) = (&one.namespaces, &other.namespaces) else { return Vec::new() };
    one.iter().filter(|(kind, inode)| other.get(kind) == Some(inode)).map(|(kind, _)| *kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_names_of_several_words() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max open files            1024                 unlimited            files     \n\
                    Max nice priority         0                    0                    \n";
        let limits = limits(text);
        assert_eq!(limits["open files"], ("1024".into(), "unlimited".into()));
        assert_eq!(limits["nice priority"], ("0".into(), "0".into()));
    }
}
