//! diagnosis: options-forgotten
//!
//! Knows three options. Made by those who are root.

use std::path::Path;

use images::{Overlay, escape};
use look::kernel;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let lower: Vec<String> = overlay.layers.iter().rev().map(|layer| escape(layer)).collect();
    let (upper, work) = (escape(&overlay.upper), escape(&overlay.work));
    let options = format!("lowerdir={},upperdir={upper},workdir={work}", lower.join(":"));
    kernel::mount("overlay", target, "overlay", overlay.flags, &options, "the layers")
}
