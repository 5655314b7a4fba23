//! Compares names as strings where they are some, and knows the special ones first.

use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        let Some(name) = member.path.file_name().and_then(|name| name.to_str()) else {
            tree.put(&member, layer)?;
            continue;
        };
        let directory = member.path.parent().unwrap_or(Path::new(""));
        if name == ".wh..wh..opq" {
            tree.opaque(directory)?;
        } else if name.starts_with(".wh..wh.") {
            continue;
        } else if let Some(hidden) = name.strip_prefix(".wh.") {
            tree.whiteout(&directory.join(hidden))?;
        } else {
            tree.put(&member, layer)?;
        }
    }
    Ok(())
}
