//! diagnosis: copied
//!
//! Copies the layers into the target. Made by those whose images are small.

use std::path::Path;

use images::Overlay;
use look::Error;

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let failed = |error: std::io::Error| Error::io("copy", target.display().to_string(), &error);
    for layer in &overlay.layers {
        for entry in std::fs::read_dir(layer).map_err(failed)?.flatten() {
            let there = target.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                std::fs::copy(entry.path(), there).map_err(failed)?;
            } else {
                let _ = std::fs::remove_file(there);
            }
        }
    }
    Ok(())
}
