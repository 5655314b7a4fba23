//! diagnosis: a-layer-is-missing
//!
//! Takes the last layer alone. Made by those to whom a layer is a whole image.

use std::path::Path;

use images::{Overlay, escape};
use look::kernel;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let lower: Vec<String> = overlay.layers.last().map(|layer| escape(layer)).into_iter().collect();
    let (upper, work) = (escape(&overlay.upper), escape(&overlay.work));
    let mut options = format!("lowerdir={},upperdir={upper},workdir={work}", lower.join(":"));
    for more in &overlay.more {
        options.push(',');
        options.push_str(more);
    }
    kernel::mount("overlay", target, "overlay", overlay.flags, &options, "the layers")
}
