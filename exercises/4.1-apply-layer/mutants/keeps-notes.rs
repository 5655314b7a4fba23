//! diagnosis: notes-become-files
//!
//! Keeps what it does not know. Made by those who throw nothing away.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        let name = member.path.file_name().unwrap_or_default().as_bytes();
        match name.strip_prefix(b".wh.") {
            Some(b".wh..opq") => tree.opaque(member.path.parent().unwrap_or(Path::new("")))?,
            Some(hidden) if !hidden.starts_with(b".wh.") => {
                tree.whiteout(&member.path.with_file_name(OsStr::from_bytes(hidden)))?;
            }
            _ => tree.put(&member, layer)?,
        }
    }
    Ok(())
}
