//! diagnosis: markers-at-the-top
//!
//! Marks a name, and forgets where. Made by those who have taken the path apart.

use std::path::Path;

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        if entry.whiteout {
            let name = entry.path.file_name().unwrap_or_default().to_string_lossy();
            layer.marker(Path::new(&format!(".wh.{name}")))?;
            continue;
        }
        layer.put(&entry, upper)?;
        if entry.opaque {
            layer.marker(&entry.path.join(".wh..wh..opq"))?;
        }
    }
    Ok(())
}
