//! diagnosis: prefix-before-the-path
//!
//! Puts the prefix before the path. Made by those who format.

use std::path::Path;

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        if entry.whiteout {
            layer.marker(Path::new(&format!(".wh.{}", entry.path.display())))?;
            continue;
        }
        layer.put(&entry, upper)?;
        if entry.opaque {
            layer.marker(&entry.path.join(".wh..wh..opq"))?;
        }
    }
    Ok(())
}
