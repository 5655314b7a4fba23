//! diagnosis: read-too-late
//!
//! Collects all entries, and writes them then. Made by those who like lists.

use std::ffi::OsStr;

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    let mut entries = Vec::new();
    while let Some(entry) = upper.next_entry()? {
        entries.push(entry);
    }
    for entry in entries {
        if entry.whiteout {
            let mut name = OsStr::new(".wh.").to_owned();
            name.push(entry.path.file_name().unwrap_or_default());
            layer.marker(&entry.path.with_file_name(name))?;
            continue;
        }
        layer.put(&entry, upper)?;
        if entry.opaque {
            layer.marker(&entry.path.join(".wh..wh..opq"))?;
        }
    }
    Ok(())
}
