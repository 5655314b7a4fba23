//! diagnosis: markers-laid-out-too
//!
//! Hides, and then puts. Made by those who forget an else.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        let name = member.path.file_name().unwrap_or_default().as_bytes();
        if name == b".wh..wh..opq" {
            tree.opaque(member.path.parent().unwrap_or(Path::new("")))?;
            continue;
        }
        if name.starts_with(b".wh..wh.") {
            continue;
        }
        if let Some(hidden) = name.strip_prefix(b".wh.") {
            tree.whiteout(&member.path.with_file_name(OsStr::from_bytes(hidden)))?;
        }
        tree.put(&member, layer)?;
    }
    Ok(())
}
