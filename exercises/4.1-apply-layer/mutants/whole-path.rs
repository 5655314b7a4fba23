//! diagnosis: only-at-the-top
//!
//! Looks at the beginning of the path. Made by those whose test has one file, and that at the top.

use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        let path = member.path.to_string_lossy();
        match path.strip_prefix(".wh.") {
            None => tree.put(&member, layer)?,
            Some(".wh..opq") => tree.opaque(Path::new(""))?,
            Some(note) if note.starts_with(".wh.") => {}
            Some(hidden) => tree.whiteout(Path::new(hidden))?,
        }
    }
    Ok(())
}
