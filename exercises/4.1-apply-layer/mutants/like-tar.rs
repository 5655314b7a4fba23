//! diagnosis: markers-become-files
//!
//! Unpacks what is there. Made by those to whom a layer is a tar archive.

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    while let Some(member) = layer.next_member()? {
        tree.put(&member, layer)?;
    }
    Ok(())
}
