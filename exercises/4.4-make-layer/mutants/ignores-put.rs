//! diagnosis: put-error-lost
//!
//! Writes what it can of the files. Made by those who would rather have most of a layer than none.

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
        let _ = layer.put(&entry, upper);
        if entry.opaque {
            layer.marker(&entry.path.join(".wh..wh..opq"))?;
        }
    }
    Ok(())
}
