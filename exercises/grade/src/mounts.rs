//! What mount tables say about a root.

use std::collections::BTreeSet;

use look::Evidence;
use look::mountinfo::Mount;
use subject::host;

use crate::places::{HOST_ROOT, NEW_ROOT};

/// The mount tables that are compared.
pub(crate) struct Tables<'a> {
    /// What the answer's process sees from its root.
    pub(crate) own: &'a [Mount],
    /// What is in its mount namespace, seen from the top.
    pub(crate) whole: &'a [Mount],
    /// The host's, before the answer was called.
    pub(crate) host_before: &'a [Mount],
    /// The host's, afterwards.
    pub(crate) host_after: &'a [Mount],
    /// What the host's root file system is called.
    pub(crate) host_source: &'a str,
}

/// The mounts in `evidence`.
pub(crate) fn of(evidence: &Evidence) -> &[Mount] {
    evidence.mounts.value().map(Vec::as_slice).unwrap_or_default()
}

impl Tables<'_> {
    /// What is mounted at `/` of the process: below anything that was later put on top.
    pub(crate) fn root_mount(&self) -> &'static str {
        match self.bottom() {
            None => "no",
            Some(mount) if self.is(mount, host::NEW_ROOT) => "yes: the new root",
            Some(mount) if self.is(mount, "/") => "yes: the host's root",
            Some(_) => "yes: something else",
        }
    }

    fn bottom(&self) -> Option<&Mount> {
        let mut at_root = self.own.iter().filter(|mount| mount.target == "/");
        at_root.find(|mount| !self.own.iter().any(|below| below.target == "/" && below.id == mount.parent))
    }

    /// Whether `mount` shows `directory` of the host's root file system.
    fn is(&self, mount: &Mount, directory: &str) -> bool {
        mount.source == self.host_source && mount.root == directory
    }

    /// Where the host's root is still mounted.
    pub(crate) fn old_root(&self) -> String {
        let bottom = self.bottom().map(|mount| mount.id);
        let visible = self.own.iter().find(|mount| self.is(mount, "/"));
        match visible {
            Some(mount) if Some(mount.id) == bottom => "still /".into(),
            Some(mount) if mount.target == "/" => "mounted on top of /".into(),
            Some(mount) => format!("mounted at {}", mount.target),
            None if self.whole.iter().any(|mount| self.is(mount, "/")) => "out of sight, but mounted".into(),
            None => "gone".into(),
        }
    }

    /// Which mounts of the process belong to a group of peers with a mount of the host: a mount made below one
    /// turns up below the other.
    pub(crate) fn still_shared(&self) -> String {
        let peers = |mount: &Mount| -> BTreeSet<String> {
            mount.propagation.iter().filter(|tag| tag.starts_with("shared:")).cloned().collect()
        };
        let groups: BTreeSet<String> = self.host_before.iter().flat_map(peers).collect();
        let shared = |mount: &&Mount| !peers(mount).is_disjoint(&groups);
        let targets: BTreeSet<&str> = self.own.iter().filter(shared).map(|mount| mount.target.as_str()).collect();
        if targets.is_empty() { "nothing".into() } else { targets.into_iter().collect::<Vec<_>>().join(" ") }
    }

    /// What turned up in the host's table, or went missing there.
    pub(crate) fn leaks(&self) -> String {
        let missing = |from: &[Mount], of: &[Mount]| -> Vec<String> {
            of.iter().filter(|m| !from.iter().any(|n| n.id == m.id)).map(|m| m.target.clone()).collect()
        };
        let (new, lost) = (missing(self.host_before, self.host_after), missing(self.host_after, self.host_before));
        match (new.as_slice(), lost.as_slice()) {
            ([], []) => "no".into(),
            (new, []) => format!("yes: a mount at {}", new.join(" ")),
            (_, lost) => format!("yes: {} was unmounted there", lost.join(" ")),
        }
    }
}

/// Whether the mount below the new root can be reached from the root of the process.
pub(crate) fn submount(evidence: &Evidence, root: &str) -> &'static str {
    let from = match root {
        NEW_ROOT => "",
        HOST_ROOT => host::NEW_ROOT,
        _ => return "out of reach",
    };
    let marker = format!("/proc/{}/root{from}{}", evidence.pid, host::MARKER);
    if std::path::Path::new(&marker).exists() { "there" } else { "lost" }
}
