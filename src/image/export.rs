//! `export`: the root of a container as a flat archive, all its layers as one.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use images::{LayerWriter, TreeWalk};
use look::kernel::{self, CloneFlags, MsFlags};
use namespaces::identity;

/// Writes the root of the container in `directory`, whose image has `layers`, bottom first, to `out`.
///
/// This process gets a mount namespace of its own: call it in one that does nothing else afterwards.
pub fn export(directory: &Path, layers: Vec<PathBuf>, mount_point: &Path, out: &mut dyn Write) -> Result<()> {
    let copy = directory.join("copy");
    let tree = if copy.is_dir() {
        copy
    } else {
        view(directory, layers, mount_point)?;
        mount_point.to_owned()
    };
    let mut tree = TreeWalk::whole(&tree)?;
    let mut archive = LayerWriter::flat(out);
    while let Some(entry) = tree.next_entry()? {
        archive.put(&entry, &tree)?;
    }
    archive.finish()
}

/// Shows what the container sees on `mount_point`, to this process alone.
fn view(directory: &Path, layers: Vec<PathBuf>, mount_point: &Path) -> Result<()> {
    let why = "what is mounted from here on is seen by this process alone";
    kernel::unshare(CloneFlags::CLONE_NEWNS, why)?;
    kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", why)?;
    // Overlayfs wants two layers at least, and an image may have none.
    let stacked: Vec<PathBuf> =
        [directory.join("nothing")].into_iter().chain(layers).chain([directory.join("upper")]).collect();
    Ok(images::view(&stacked, !identity::is_the_machines_root(), mount_point)?)
}
