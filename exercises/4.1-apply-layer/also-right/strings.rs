//! Compares names as strings, and takes what is hidden from the bytes. The special ones come first.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        let Some(name) = member.path.file_name() else {
            tree.put(&member, layer)?;
            continue;
        };
        let directory = member.path.parent().unwrap_or(Path::new(""));
        let text = name.to_string_lossy();
        if text == ".wh..wh..opq" {
            tree.opaque(directory)?;
        } else if text.starts_with(".wh..wh.") {
            continue;
        } else if text.starts_with(".wh.") {
            tree.whiteout(&directory.join(OsStr::from_bytes(&name.as_bytes()[4..])))?;
        } else {
            tree.put(&member, layer)?;
        }
    }
    Ok(())
}
