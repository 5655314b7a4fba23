//! diagnosis: opaque-is-no-name
//!
//! Knows one prefix. Made by those who have read the first half of the specification.

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
            Some(hidden) => tree.whiteout(&member.path.with_file_name(OsStr::from_bytes(hidden)))?,
        }
    }
    Ok(())
}
