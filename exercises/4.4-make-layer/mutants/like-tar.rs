//! diagnosis: whiteout-is-a-device
//!
//! Writes what is there. Made by those to whom a layer is tar of the upper directory.

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        layer.put(&entry, upper)?;
        if entry.opaque {
            layer.marker(&entry.path.join(".wh..wh..opq"))?;
        }
    }
    Ok(())
}
