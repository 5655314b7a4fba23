//! Tells the cases apart at once, and writes names as bytes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        let directory = entry.path.parent().unwrap_or(Path::new(""));
        match (entry.whiteout, entry.opaque) {
            (true, _) => {
                let name = [b".wh.", entry.path.file_name().unwrap_or_default().as_bytes()].concat();
                layer.marker(&directory.join(OsStr::from_bytes(&name)))?;
            }
            (false, opaque) => {
                layer.put(&entry, upper)?;
                let marker = opaque.then(|| entry.path.join(".wh..wh..opq"));
                marker.map_or(Ok(()), |marker| layer.marker(&marker))?;
            }
        }
    }
    Ok(())
}
