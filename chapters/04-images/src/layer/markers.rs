//! The names that mean something: `.wh.NAME` for a deletion, `.wh..wh.NAME` for a note of aufs.
//!
//! Whoever reads a deletion takes its name as it is, so names are checked here: taken apart without care, `.wh...`
//! deletes the directory above. The prefix is reserved: nothing else may have it, nothing may be in a directory with
//! it, and no hard link may lead to it.
//!
//! Source: OCI image specification, "Image Layer Filesystem Changeset", "Whiteouts".

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Result, ensure};

use super::Kind;

const PREFIX: &[u8] = b".wh.";
const NOTE: &[u8] = b".wh..wh.";

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Itself.
    File,
    /// A deletion.
    Marker,
    /// Something in a directory that aufs keeps for itself, which means nothing here.
    InNote,
}

/// What `path` stands for, which an archive has as a `kind`.
pub(super) fn meaning(path: &Path, kind: &Kind) -> Result<Meaning> {
    let mut above = path.parent().unwrap_or(Path::new("")).iter().map(OsStrExt::as_bytes);
    if let Some(reserved) = above.find(|name| name.starts_with(PREFIX)) {
        ensure!(reserved.starts_with(NOTE), "it is in a directory with the name of a deletion");
        return Ok(Meaning::InNote);
    }
    let is_marker = |path: &Path| path.file_name().is_some_and(|name| name.as_bytes().starts_with(PREFIX));
    let Some(hidden) = path.file_name().and_then(|name| name.as_bytes().strip_prefix(PREFIX)) else {
        let links_to_marker = matches!(kind, Kind::HardLink(target) if target.iter().any(|n| is_marker(Path::new(n))));
        ensure!(!links_to_marker, "a hard link to a deletion");
        return Ok(Meaning::File);
    };
    ensure!(!matches!(hidden, b"" | b"." | b".."), "a deletion of what has no name");
    if path.file_name().is_some_and(|name| name.as_bytes().starts_with(NOTE)) && hidden != b".wh..opq" {
        return Ok(Meaning::Marker);
    }
    match kind {
        Kind::File { size, .. } => ensure!(*size == 0, "a deletion with {size} bytes of content"),
        // Aufs had one inode for all deletions, and its archives say so.
        Kind::HardLink(target) => ensure!(is_marker(target), "a deletion that is a link to something else"),
        _ => anyhow::bail!("a deletion must be an empty file"),
    }
    Ok(Meaning::Marker)
}
