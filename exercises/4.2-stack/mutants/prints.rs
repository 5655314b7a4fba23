//! diagnosis: nothing-happened
//!
//! Says what it would do. Made by those who debug before they do.

use std::path::Path;

use images::{Overlay, escape};
use look::kernel;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    println!("overlay on {} (overlay)", target.display());
    for layer in &overlay.layers {
        println!("  {}", layer.display());
    }
    Ok(())
}
