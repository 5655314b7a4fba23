//! Two processes side by side: what they share, and what each has of its own.

use std::fmt;

use colored::Colorize;
use serde::Serialize;

use crate::evidence::{Evidence, Seen};
use crate::mountinfo::Mount;
use crate::namespaces::Kind;

/// What two processes share and where they differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The two processes.
    pub pids: [i32; 2],
    /// One row for each thing that was compared.
    pub rows: Vec<Row>,
}

/// One thing that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What: `mnt namespace`, `root`, `user id`, …
    pub what: String,
    /// Whether both have the same. `None` where the kernel hides one of them.
    pub same: Option<bool>,
    /// What each has, in short.
    pub values: [String; 2],
}

impl Comparison {
    /// Compares `a` with `b`.
    pub fn of(a: &Evidence, b: &Evidence) -> Comparison {
        let mut rows: Vec<Row> = Kind::ALL.iter().map(|kind| namespace_row(*kind, a, b)).collect();
        rows.push(row("root", a, b, |e| {
            seen(&e.root, |p| format!("{} (device {}, inode {})", p.path, p.device, p.inode))
        }));
        rows.push(row("mounts", a, b, |e| seen(&e.mounts, |mounts| mount_table(mounts))));
        rows.push(row("user", a, b, |e| Some(format!("{} {}", e.ids.uid.effective, mapped(e)))));
        rows.push(row("capabilities", a, b, |e| {
            Some(format!("{} of {}", e.capabilities.effective.len(), e.capabilities.bounding.len()))
        }));
        rows.push(row("seccomp", a, b, |e| Some(e.seccomp.clone())));
        rows.push(row("cgroup", a, b, |e| {
            seen(&e.cgroups, |all| {
                all.iter().map(|c| c.path.as_str()).max_by_key(|p| p.len()).unwrap_or("/").to_owned()
            })
        }));
        rows.push(row("links", a, b, |e| seen(&e.network, |network| network.links.join(" "))));
        Comparison { pids: [a.pid, b.pid], rows }
    }

    /// The kinds of namespaces that both are in.
    pub fn shared_namespaces(&self) -> Vec<Kind> {
        Kind::ALL
            .iter()
            .copied()
            .zip(&self.rows)
            .filter(|(_, row)| row.same == Some(true))
            .map(|(kind, _)| kind)
            .collect()
    }
}

fn namespace_row(kind: Kind, a: &Evidence, b: &Evidence) -> Row {
    row(&format!("{kind} namespace"), a, b, |e| {
        seen(&e.namespaces, |all| all.get(&kind).map_or_else(|| "not in this kernel".into(), u64::to_string))
    })
}

fn row(what: &str, a: &Evidence, b: &Evidence, show: impl Fn(&Evidence) -> Option<String>) -> Row {
    let (left, right) = (show(a), show(b));
    let same = left.as_ref().zip(right.as_ref()).map(|(left, right)| left == right);
    let text = |value: Option<String>| value.unwrap_or_else(|| "hidden".into());
    Row { what: what.to_owned(), same, values: [text(left), text(right)] }
}

fn seen<T>(fact: &Seen<T>, show: impl Fn(&T) -> String) -> Option<String> {
    fact.value().map(show)
}

/// Mount ids are unique among all mount tables, so the id of `/` tells two tables of the same length apart.
fn mount_table(mounts: &[Mount]) -> String {
    let root = mounts.iter().find(|mount| mount.target == "/");
    let root = root.map(|mount| format!(", / is mount {} ({})", mount.id, mount.fstype)).unwrap_or_default();
    format!("{}{root}", mounts.len())
}

/// Where the process's user 0 is somebody else outside, says who.
fn mapped(evidence: &Evidence) -> String {
    match evidence.ids.uid_map.as_slice() {
        [] => "(no map)".into(),
        [all] if all.inside == 0 && all.outside == 0 && all.count == u32::MAX => String::new(),
        ranges => {
            let ranges: Vec<_> = ranges.iter().map(|r| format!("{}→{}×{}", r.inside, r.outside, r.count)).collect();
            format!("(map {})", ranges.join(" "))
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.values[0].chars().count()).max().unwrap_or(0).max(12);
        let [left, right] = self.pids.map(|pid| format!("pid {pid}"));
        writeln!(f, "{:<28} {left:<width$}  {right}", "")?;
        for row in &self.rows {
            let verdict = match row.same {
                Some(true) => format!("{:<9}", "shared").dimmed(),
                Some(false) => format!("{:<9}", "its own").green(),
                None => format!("{:<9}", "hidden").yellow(),
            };
            writeln!(f, "{:<18} {verdict} {:<width$}  {}", row.what, row.values[0], row.values[1])?;
        }
        Ok(())
    }
}
