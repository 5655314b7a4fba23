//! diagnosis: nothing-laid-out
//!
//! Goes through the archive and counts. Made by those who begin with a loop.

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    let mut members = 0;
    while let Some(member) = layer.next_member()? {
        members += 1;
        println!("{}", member.path.display());
    }
    println!("{members} members laid out");
    Ok(())
}
