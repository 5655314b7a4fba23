//! diagnosis: prefix-anywhere
//!
//! Looks for the prefix with contains. Made by those who think in strings.

use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        let name = member.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == ".wh..wh..opq" {
            tree.opaque(member.path.parent().unwrap_or(Path::new("")))?;
        } else if name.starts_with(".wh..wh.") {
            continue;
        } else if name.contains(".wh.") {
            tree.whiteout(&member.path.with_file_name(name.replace(".wh.", "")))?;
        } else {
            tree.put(&member, layer)?;
        }
    }
    Ok(())
}
