//! diagnosis: no-prefix
//!
//! Leaves the prefix to `marker`. Made by those who take its name for what it adds.

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        if entry.whiteout {
            layer.marker(&entry.path)?;
            continue;
        }
        layer.put(&entry, upper)?;
        if entry.opaque {
            layer.marker(&entry.path.join(".wh..wh..opq"))?;
        }
    }
    Ok(())
}
