//! diagnosis: read-only
//!
//! Gives the layers and no place for changes. Made by those who have used overlayfs for a live CD.

use std::path::Path;

use images::{Overlay, escape};
use look::kernel;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let lower: Vec<String> = overlay.layers.iter().rev().map(|layer| escape(layer)).collect();
    let options = [
        vec![format!("lowerdir={}", lower.join(":"))],
        overlay.more.iter().map(|more| (*more).to_owned()).filter(|more| more != "volatile").collect(),
    ]
    .concat()
    .join(",");
    kernel::mount("overlay", target, "overlay", overlay.flags, &options, "the layers")
}
