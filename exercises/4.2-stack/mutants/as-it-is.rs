//! diagnosis: not-escaped
//!
//! Takes paths as they are. Made by those whose directories have sensible names.

use std::path::Path;

use images::{Overlay, escape};
use look::kernel;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let lower: Vec<String> = overlay.layers.iter().rev().map(|layer| layer.display().to_string()).collect();
    let (upper, work) = (overlay.upper.display(), overlay.work.display());
    let mut options = format!("lowerdir={},upperdir={upper},workdir={work}", lower.join(":"));
    for more in &overlay.more {
        options.push(',');
        options.push_str(more);
    }
    kernel::mount("overlay", target, "overlay", overlay.flags, &options, "the layers")
}
