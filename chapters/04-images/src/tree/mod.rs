//! Unpacking a hostile layer as a tree.
//!
//! Paths of an archive are looked up in two places only. `places` opens them through [`chroot::inside::Root`], and so
//! does `deferred`, which also looks for the targets of hard links in the layers below: name by name, through a
//! [`Stack`], which follows no symlink. What a member replaces is unlinked first, never written through.
//!
//! Deletions become what overlayfs reads: a file that is gone is a character device with the number 0/0, and a directory
//! that shows nothing from below has the attribute `overlay.opaque`. They are about the layers below alone. What the
//! same layer brings stays, wherever in the archive it is: a file hides what is below by itself, and a directory is made
//! opaque.
//!
//! Sources: OCI image specification, "Image Layer Filesystem Changeset"; the kernel's
//! Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".

mod attributes;
mod content;
mod deferred;
mod directories;
mod flatten;
mod listing;
mod members;
mod places;
mod remove;
mod room;
mod stack;
#[cfg(test)]
mod tests;
mod unpack;
mod whiteout;

pub use attributes::{Attributes, Skipped, Xattrs, xattrs_of};
pub(crate) use attributes::{XATTR_MAX, XATTR_NAME_MAX, is_kept};
pub use deferred::Deferred;
pub use flatten::flatten;
pub(crate) use listing::DIRECTORY;
pub use listing::{is, kind_of, names};
pub use remove::remove_tree;
pub(crate) use room::Room;
pub use stack::Stack;
pub use unpack::{Tree, Unpacked};

use std::path::Path;

use look::Error;
use nix::errno::Errno;

use crate::shown_path;

fn failed<'a>(call: &'static str, path: &'a Path) -> impl FnOnce(Errno) -> anyhow::Error + 'a {
    move |errno| Error::call(call, shown_path(path), errno).into()
}
