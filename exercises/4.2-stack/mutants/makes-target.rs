//! diagnosis: target-made
//!
//! Makes the target first. Made by those who have met ENOENT.

use std::path::Path;

use images::{Overlay, escape};
use look::Error;
use look::kernel;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let lower: Vec<String> = overlay.layers.iter().rev().map(|layer| escape(layer)).collect();
    let (upper, work) = (escape(&overlay.upper), escape(&overlay.work));
    let mut options = format!("lowerdir={},upperdir={upper},workdir={work}", lower.join(":"));
    for more in &overlay.more {
        options.push(',');
        options.push_str(more);
    }
    std::fs::create_dir_all(target).map_err(|error| Error::io("make", target.display().to_string(), &error))?;
    kernel::mount("overlay", target, "overlay", overlay.flags, &options, "the layers")
}
