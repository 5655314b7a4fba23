//! diagnosis: name-became-text
//!
//! Writes the name as text. Made by those to whom `format!` comes first.

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        if entry.whiteout {
            let name = entry.path.file_name().unwrap_or_default();
            layer.marker(&entry.path.with_file_name(format!(".wh.{}", name.to_string_lossy())))?;
            continue;
        }
        layer.put(&entry, upper)?;
        if entry.opaque {
            layer.marker(&entry.path.join(".wh..wh..opq"))?;
        }
    }
    Ok(())
}
