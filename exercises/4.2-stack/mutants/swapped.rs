//! diagnosis: upper-and-work-swapped
//!
//! Writes to the work directory. Made by those who work where they are told to work.

use std::path::Path;

use images::{Overlay, escape};
use look::kernel;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let lower: Vec<String> = overlay.layers.iter().rev().map(|layer| escape(layer)).collect();
    let (upper, work) = (escape(&overlay.work), escape(&overlay.upper));
    let mut options = format!("lowerdir={},upperdir={upper},workdir={work}", lower.join(":"));
    for more in &overlay.more {
        options.push(',');
        options.push_str(more);
    }
    kernel::mount("overlay", target, "overlay", overlay.flags, &options, "the layers")
}
