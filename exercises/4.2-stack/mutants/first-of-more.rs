//! diagnosis: one-option-only
//!
//! Takes one option more. Made by those who only ever needed one.

use std::path::Path;

use images::{Overlay, escape};
use look::kernel;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let lower: Vec<String> = overlay.layers.iter().rev().map(|layer| escape(layer)).collect();
    let (upper, work) = (escape(&overlay.upper), escape(&overlay.work));
    let mut options = format!("lowerdir={},upperdir={upper},workdir={work}", lower.join(":"));
    if let Some(more) = overlay.more.first() {
        options += &format!(",{more}");
    }
    kernel::mount("overlay", target, "overlay", overlay.flags, &options, "the layers")
}
