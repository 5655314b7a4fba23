//! diagnosis: put-error-lost
//!
//! Lays out what it can. Made by those who have unpacked an archive with warnings before.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        let name = member.path.file_name().unwrap_or_default().as_bytes();
        match name.strip_prefix(b".wh.") {
            None => drop(tree.put(&member, layer)),
            Some(b".wh..opq") => tree.opaque(member.path.parent().unwrap_or(Path::new("")))?,
            Some(note) if note.starts_with(b".wh.") => {}
            Some(hidden) => tree.whiteout(&member.path.with_file_name(OsStr::from_bytes(hidden)))?,
        }
    }
    Ok(())
}
