//! Names the directories by their descriptors, in whose paths there is nothing to escape.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use images::Overlay;
use look::{Error, kernel};

pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    let open = |path: &Path| File::open(path).map_err(|error| Error::io("open", path.display().to_string(), &error));
    let name = |file: &File| format!("/proc/self/fd/{}", file.as_raw_fd());
    let layers = overlay.layers.iter().rev().map(|layer| open(layer)).collect::<look::Result<Vec<File>>>()?;
    let (upper, work) = (open(&overlay.upper)?, open(&overlay.work)?);
    let lower: Vec<String> = layers.iter().map(name).collect();
    let options = format!("upperdir={},workdir={},lowerdir={}", name(&upper), name(&work), lower.join(":"));
    let options = [&[options.as_str()], overlay.more.as_slice()].concat().join(",");
    kernel::mount("none", target, "overlay", overlay.flags, &options, "the layers")
}
