//! diagnosis: name-became-text
//!
//! Turns the name into text, and takes what is none for no name. Made by those who like `match` on strings.

use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        let name = member.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match name.strip_prefix(".wh.") {
            None => tree.put(&member, layer)?,
            Some(".wh..opq") => tree.opaque(member.path.parent().unwrap_or(Path::new("")))?,
            Some(note) if note.starts_with(".wh.") => {}
            Some(hidden) => tree.whiteout(&member.path.with_file_name(hidden))?,
        }
    }
    Ok(())
}
