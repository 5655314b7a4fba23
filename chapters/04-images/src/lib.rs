//! # Chapter 4: layers
//!
//! An image is a root file system, cut into layers. Each layer is a tar archive of what changed against the ones
//! below it. Layers are called by the digest of their contents, so images share those that they have in common.

pub mod changes;
mod digest;
pub mod layer;
mod name;
pub mod oci;
mod overlay;
pub mod store;
pub mod timestamp;
pub mod tree;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod test_dir;
#[cfg(test)]
mod test_tar;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Result;
use look::Error;
use look::kernel;
use nix::errno::Errno;

pub use changes::{Entry, Upper};
pub use digest::{Digest, Hasher, Hashing};
pub use layer::writer::LayerWriter;
pub use layer::{Kind, Layer, Member};
pub use name::Name;
pub use overlay::{Overlay, escape};
pub use store::{Expected, Image, ImageLayer, Placed, Received, Store, Writer};
pub use tree::{LeftOut, Tree, copy_tree, flatten, remove_tree};

/// [`apply_layer`], or a function of yours that does the same.
pub type ApplyLayer = fn(&mut Layer<'_>, &mut Tree) -> Result<()>;

// ANCHOR: apply_layer
/// Lays the members of `layer` out in `tree`.
///
/// A member called `.wh.NAME` stands for a deletion: what the layers below have as `NAME` is hidden. One called
/// `.wh..wh..opq` hides all that they have in its directory. Other names that begin with `.wh..wh.` are notes of an old
/// tool, and mean nothing.
///
/// Source: OCI image specification, "Image Layer Filesystem Changeset", "Whiteouts".
pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    // SOLUTION: apply_layer
    while let Some(member) = layer.next_member()? {
        let name = member.path.file_name().unwrap_or_default().as_bytes();
        match name.strip_prefix(b".wh.") {
            None => tree.put(&member, layer)?,
            Some(b".wh..opq") => tree.opaque(member.path.parent().unwrap_or(Path::new("")))?,
            Some(note) if note.starts_with(b".wh.") => {}
            Some(hidden) => tree.whiteout(&member.path.with_file_name(OsStr::from_bytes(hidden)))?,
        }
    }
    Ok(())
    // SOLUTION_END
}
// ANCHOR_END: apply_layer

// ANCHOR: make_layer
/// Writes all that is in `upper` to `layer`, deletions in the way that [`apply_layer`] reads them.
pub fn make_layer(upper: &mut Upper, layer: &mut LayerWriter<'_>) -> Result<()> {
    // SOLUTION: make_layer
    while let Some(entry) = upper.next_entry()? {
        if entry.whiteout {
            let mut name = OsStr::new(".wh.").to_owned();
            name.push(entry.path.file_name().unwrap_or_default());
            layer.marker(&entry.path.with_file_name(name))?;
            continue;
        }
        layer.put(&entry, upper)?;
        if entry.opaque {
            layer.marker(&entry.path.join(".wh..wh..opq"))?;
        }
    }
    Ok(())
    // SOLUTION_END
}
// ANCHOR_END: make_layer

// ANCHOR: stack
/// Mounts the layers of `overlay` on `target`, as one tree that can be written to.
///
/// Source: the kernel's Documentation/filesystems/overlayfs.rst.
pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()> {
    // SOLUTION: stack
    let lower: Vec<String> = overlay.layers.iter().rev().map(|layer| escape(layer)).collect();
    let (upper, work) = (escape(&overlay.upper), escape(&overlay.work));
    let mut options = format!("lowerdir={},upperdir={upper},workdir={work}", lower.join(":"));
    for more in &overlay.more {
        options.push(',');
        options.push_str(more);
    }
    let why = "the image's layers below, read-only, and one on top for what is written";
    kernel::mount("overlay", target, "overlay", overlay.flags, &options, why)
    // SOLUTION_END
}
// ANCHOR_END: stack

// ANCHOR: chain_ids
/// What each layer is called together with those below it, bottom first.
///
/// A diff id says what one layer changes; a chain id says what is there when it has. The chain id of the bottom layer
/// is its diff id; that of any other is the digest of the text `CHAIN-ID-BELOW DIFF-ID`.
///
/// Source: OCI image specification, "Image Configuration", "Layer ChainID".
pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    // SOLUTION: chain_ids
    let mut chain: Vec<Digest> = Vec::new();
    for diff_id in diff_ids {
        let id = match chain.last() {
            None => *diff_id,
            Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
        };
        chain.push(id);
    }
    chain
    // SOLUTION_END
}
// ANCHOR_END: chain_ids

/// A name out of an archive or image, fit to be printed: nothing in it moves a terminal's cursor or fills a screen.
pub fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(&name[..name.len().min(LONGEST)]).escape_debug().to_string();
    if name.len() > LONGEST { text + "…" } else { text }
}

/// An error of `call` on a path of the store.
pub(crate) fn failed<'a>(call: &'static str, path: &'a Path) -> impl FnOnce(Errno) -> Error + 'a {
    move |errno| Error::call(call, path.display().to_string(), errno)
}

/// The same for the standard library's calls.
pub(crate) fn failed_io<'a>(call: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
    move |error| Error::io(call, path.display().to_string(), &error)
}
