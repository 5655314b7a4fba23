//! diagnosis: opaque-beside
//!
//! Puts the marker where the directory is. Made by those who do the same as for a deletion.

use std::ffi::OsStr;

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        if entry.whiteout {
            let mut name = OsStr::new(".wh.").to_owned();
            name.push(entry.path.file_name().unwrap_or_default());
            layer.marker(&entry.path.with_file_name(name))?;
            continue;
        }
        layer.put(&entry, upper)?;
        if entry.opaque {
            layer.marker(&entry.path.with_file_name(".wh..wh..opq"))?;
        }
    }
    Ok(())
}
