//! diagnosis: nothing-written
//!
//! Walks, and says what it finds. Made by those who begin with a loop.

use anyhow::Result;
use images::{LayerWriter, TreeWalk};

pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
    while let Some(entry) = upper.next_entry()? {
        println!("A {}", entry.path.display());
    }
    Ok(())
}
