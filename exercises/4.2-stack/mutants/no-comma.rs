//! diagnosis: grown-together
//!
//! Forgets the comma before the other options. Made by those who push one string after the other.

use std::path::Path;

use images::{Overlay, escape};
use look::kernel;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let lower: Vec<String> = overlay.layers.iter().rev().map(|layer| escape(layer)).collect();
    let (upper, work) = (escape(&overlay.upper), escape(&overlay.work));
    let mut options = format!("lowerdir={},upperdir={upper},workdir={work}", lower.join(":"));
    for more in &overlay.more {
        options.push_str(more);
    }
    kernel::mount("overlay", target, "overlay", overlay.flags, &options, "the layers")
}
