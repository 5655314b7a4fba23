//! diagnosis: panicked
//!
//! Takes it that each path has a last part. Made by those whose archives begin with bin/.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        let name = member.path.file_name().unwrap().as_bytes();
        match name.strip_prefix(b".wh.") {
            None => tree.put(&member, layer)?,
            Some(b".wh..opq") => tree.opaque(member.path.parent().unwrap_or(Path::new("")))?,
            Some(note) if note.starts_with(b".wh.") => {}
            Some(hidden) => tree.whiteout(&member.path.with_file_name(OsStr::from_bytes(hidden)))?,
        }
    }
    Ok(())
}
