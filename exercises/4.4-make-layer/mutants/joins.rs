//! diagnosis: marker-below
//!
//! Joins where it should replace. Made by those who have just written the opaque marker.

use std::ffi::OsStr;

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        if entry.whiteout {
            let mut name = OsStr::new(".wh.").to_owned();
            name.push(entry.path.file_name().unwrap_or_default());
            layer.marker(&entry.path.join(name))?;
            continue;
        }
        layer.put(&entry, upper)?;
        if entry.opaque {
            layer.marker(&entry.path.join(".wh..wh..opq"))?;
        }
    }
    Ok(())
}
