//! diagnosis: deletions-lost
//!
//! Lays out what is new. Made by those who see deletions as something for later.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        let name = member.path.file_name().unwrap_or_default().as_bytes();
        match name.strip_prefix(b".wh.") {
            None => tree.put(&member, layer)?,
            Some(b".wh..opq") => tree.opaque(member.path.parent().unwrap_or(Path::new("")))?,
            Some(_) => {}
        }
    }
    Ok(())
}
