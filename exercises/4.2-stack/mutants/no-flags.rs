//! diagnosis: flags-forgotten
//!
//! Mounts without flags. Made by those who look for them among the options.

use std::path::Path;

use images::{Overlay, escape};
use look::kernel::{self, MsFlags};

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let lower: Vec<String> = overlay.layers.iter().rev().map(|layer| escape(layer)).collect();
    let (upper, work) = (escape(&overlay.upper), escape(&overlay.work));
    let mut options = format!("lowerdir={},upperdir={upper},workdir={work}", lower.join(":"));
    for more in &overlay.more {
        options.push(',');
        options.push_str(more);
    }
    kernel::mount("overlay", target, "overlay", MsFlags::empty(), &options, "the layers")
}
