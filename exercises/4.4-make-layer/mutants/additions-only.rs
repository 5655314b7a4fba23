//! diagnosis: deletions-lost
//!
//! Writes what is new. Made by those whose container deletes nothing.

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        if entry.whiteout {
            continue;
        }
        layer.put(&entry, upper)?;
        if entry.opaque {
            layer.marker(&entry.path.join(".wh..wh..opq"))?;
        }
    }
    Ok(())
}
