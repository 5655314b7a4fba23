//! diagnosis: layers-not-found
//!
//! Escapes when all is put together. Made by those who escape late, as one does with HTML.

use std::path::Path;

use images::{Overlay, escape};
use look::kernel;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let lower: Vec<String> = overlay.layers.iter().rev().map(|layer| layer.display().to_string()).collect();
    let (upper, work) = (escape(&overlay.upper), escape(&overlay.work));
    let mut options = format!("lowerdir={},upperdir={upper},workdir={work}", escape(Path::new(&lower.join(":"))));
    for more in &overlay.more {
        options.push(',');
        options.push_str(more);
    }
    kernel::mount("overlay", target, "overlay", overlay.flags, &options, "the layers")
}
