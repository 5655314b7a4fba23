//! diagnosis: one-mount-each
//!
//! Mounts a layer, then the next one on top. Made by those who take "stack" literally.

use std::path::Path;

use images::Overlay;
use look::kernel::{self, MsFlags};

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let above = std::iter::once(&overlay.upper);
    for layer in overlay.layers.iter().chain(above) {
        kernel::mount(layer, target, "", overlay.flags | MsFlags::MS_BIND, "", "a layer")?;
    }
    Ok(())
}
