//! # Chapter 4: layers
//!
//! A container needs a root file system, and people pass those on. Two things make that hard. A root file system has
//! hundreds of megabytes, of which two versions have nearly all in common; and it comes from strangers.
//!
//! So it is cut into *layers*. A layer is a tar archive of what changed against the layers below it, and an *image* is
//! a list of layers and a little JSON. Four functions are what it takes to go from the archive to a container's root,
//! and back:
//!
//! | function        | from                        | to                                                        |
//! |-----------------|-----------------------------|-----------------------------------------------------------|
//! | [`apply_layer`] | a layer                     | a directory, in the form that overlayfs reads             |
//! | [`stack`]       | directories, bottom first   | one tree, with an empty directory on top for changes      |
//! | [`make_layer`]  | what a container changed    | a layer                                                   |
//! | [`chain_ids`]   | what each layer changes     | a name for each layer together with all that are below it |
//!
//! **What is gone.** An archive can add a file and replace one, but how does it say that one is gone? With a member
//! called `.wh.NAME`, a *whiteout*. A directory all of whose earlier contents are gone has a member `.wh..wh..opq` in
//! it: it is *opaque*. On disk overlayfs has its own way of saying the same. A whiteout is a character device with the
//! numbers 0/0, and an opaque directory has the extended attribute `trusted.overlay.opaque`, or `user.overlay.opaque`
//! where an ordinary user mounts. What is deleted is still there below, and still goes wherever the image goes.
//!
//! **What is shared.** overlayfs (Linux 3.18, for ordinary users 5.11) shows several directories as one. Nothing is
//! copied for that, so a hundred containers of one image take no more room than one, nor more memory for what they
//! read. The first time that a file from below is written to, all of it is copied up to the directory on top.
//!
//! **What things are called.** Everything in an image has the SHA-256 of its bytes for a name ([`Digest`]). Whoever has
//! the name can check what they got, whoever sent it. A layer has three such names, and they are easily mixed up:
//!
//! - its *digest*: of the bytes that are sent, which are compressed. Another program compresses it to another one;
//! - its *diff id*: of the archive without the compression. What it changes;
//! - its *chain id*: of its diff id and those of all layers below it. What is there once it has been applied.
//!
//! A *manifest* lists the layers by digest and names the *config*; the config lists them by diff id. The digest of the
//! config is the image's id. So an id vouches for everything: for what to run, for each layer, and for their order.
//!
//! **Who made it.** A layer is a stranger's list of file names, and it is unpacked by root. `../../etc/passwd` is the
//! clumsy attempt. Better is a symlink first, and then a file "in" it; or a hard link; or a deletion. In [`tree`],
//! which is the only place that unpacks, the kernel looks each path of an archive up below a descriptor of the root,
//! with `openat2(2)`, or goes down name by name and follows no symlink. `attacks/` has a layer that reaches out, and an
//! extraction to try.
//!
//! ## Around the four functions
//!
//! Nothing in the four functions is simplified. What they need is in modules of their own:
//! - [`layer`]: reading an archive that may lie about everything, and writing one that is the same each time;
//! - [`tree`]: unpacking one by descriptors, and what has to wait until the layers below it are there;
//! - [`changes`]: overlayfs' notes in an upper directory, read back;
//! - [`store`]: an OCI image layout on disk, which is complete at every moment, whoever is killed;
//! - [`oci`], [`Name`]: the documents, and how images are called.
//!
//! Registries come with the runtime, in `src/registry`: they bring HTTP, TLS and passwords, and no new idea about
//! layers.
//!
//! ## What real runtimes do more
//!
//! - containerd has *snapshotters*: overlayfs is one, and btrfs, ZFS, device mapper and others keep layers by their own
//!   means of sharing.
//! - They start containers before the image is there, and fetch files as they are read (stargz, SOCI, Nydus).
//! - They let the kernel check each file when it is read, not only once when it came (fs-verity, composefs).
//! - They shift owners when mounting (idmapped mounts), so that one unpacked layer serves many user namespaces.
//! - They check who signed an image (cosign, notation), and what is said to be in it (SBOMs).

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

pub use changes::{Change, ChangeKind, Entry, Lower, TreeWalk, differences};
pub use digest::{Digest, Hasher, HashingReader};
pub use layer::writer::LayerWriter;
pub use layer::{Kind, Layer, Member};
pub use name::Name;
pub use overlay::{Overlay, escape, view};
pub use store::{Expected, Image, ImageLayer, Placed, Received, Store, Writer};
pub use tree::{Skipped, Stack, Tree, flatten, remove_tree};

/// [`apply_layer`], or a function of yours that does the same.
pub type ApplyLayer = fn(&mut Layer<'_>, &mut Tree) -> Result<()>;

// ANCHOR: apply_layer
/// Unpacks the members of `layer` into `tree`.
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
pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()> {
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
/// A diff id says what one layer changes; a chain id says what is there after that. The chain id of the bottom layer
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

/// The same of a path.
pub fn shown_path(path: &Path) -> String {
    shown(path.as_os_str().as_bytes())
}

/// An error of `call` on a path of the store.
pub(crate) fn failed<'a>(call: &'static str, path: &'a Path) -> impl FnOnce(Errno) -> Error + 'a {
    move |errno| Error::call(call, path.display().to_string(), errno)
}

/// The same for the standard library's calls.
pub(crate) fn failed_io<'a>(call: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
    move |error| Error::io(call, path.display().to_string(), &error)
}
