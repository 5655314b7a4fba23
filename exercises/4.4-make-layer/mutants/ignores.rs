//! diagnosis: errors-are-lost
//!
//! Does not look at what comes back. Made by those who have room on their disk.

use std::ffi::OsStr;

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        if entry.whiteout {
            let mut name = OsStr::new(".wh.").to_owned();
            name.push(entry.path.file_name().unwrap_or_default());
            let _ = layer.marker(&entry.path.with_file_name(name));
            continue;
        }
        let _ = layer.put(&entry, upper);
        if entry.opaque {
            let _ = layer.marker(&entry.path.join(".wh..wh..opq"));
        }
    }
    Ok(())
}
