//! diagnosis: content-gone
//!
//! Collects all members first, to do the deletions before the rest. Made by those who like order.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    let mut members = Vec::new();
    while let Some(member) = layer.next_member()? {
        members.push(member);
    }
    let is_marker = |path: &Path| path.file_name().is_some_and(|name| name.as_bytes().starts_with(b".wh."));
    for member in members.iter().filter(|member| is_marker(&member.path)) {
        let name = member.path.file_name().unwrap_or_default().as_bytes();
        match &name[4..] {
            b".wh..opq" => tree.opaque(member.path.parent().unwrap_or(Path::new("")))?,
            note if note.starts_with(b".wh.") => {}
            hidden => tree.whiteout(&member.path.with_file_name(OsStr::from_bytes(hidden)))?,
        }
    }
    for member in members.iter().filter(|member| !is_marker(&member.path)) {
        tree.put(member, layer)?;
    }
    Ok(())
}
