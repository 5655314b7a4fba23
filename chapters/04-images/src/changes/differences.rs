//! What changed against the layers below, told by paths.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::sys::stat::SFlag;

use super::{Lower, TreeWalk};
use crate::tree::is;

/// Something that is not as it is below.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Where it is, from the root.
    pub path: PathBuf,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// What happened to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// There was nothing.
    Added,
    /// There was something; a directory counts as changed if what is in it changed.
    Changed,
    /// There is nothing any more.
    Deleted,
}

/// All that is different in `changes` from what `lower` has, by path. Of a directory that is gone, only the directory is
/// told.
pub fn differences(changes: &mut TreeWalk, lower: &mut Lower) -> Result<Vec<Change>> {
    let mut found = Vec::new();
    while let Some(entry) = changes.next_entry()? {
        let before = lower.find(&entry.path)?;
        let kind = match (entry.whiteout, before) {
            (true, None) => continue,
            (true, Some(_)) => ChangeKind::Deleted,
            (false, None) => ChangeKind::Added,
            (false, Some(_)) => ChangeKind::Changed,
        };
        let was_directory = before.is_some_and(|stat| is(&stat, SFlag::S_IFDIR));
        if entry.opaque && was_directory {
            found.extend(hidden(&entry.path, changes, lower)?);
        }
        found.push(Change { path: entry.path, kind });
    }
    found.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    Ok(found)
}

/// What an opaque directory hides, and does not have itself.
fn hidden(path: &Path, changes: &TreeWalk, lower: &mut Lower) -> Result<Vec<Change>> {
    let mut names = lower.names(path)?;
    names.retain(|name| changes.names().binary_search(name).is_err());
    let deleted =
        |name: &CString| Change { path: path.join(OsStr::from_bytes(name.to_bytes())), kind: ChangeKind::Deleted };
    Ok(names.iter().map(deleted).collect())
}
