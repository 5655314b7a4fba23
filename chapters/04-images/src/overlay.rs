//! Overlayfs: several directories, seen as one.

use std::ffi::CStr;
use std::path::{Path, PathBuf};

use look::kernel::MsFlags;

/// What a container's root is stacked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// The layers of the image, bottom first. Nothing is written to them.
    pub layers: Vec<PathBuf>,
    /// Where what is written goes.
    pub upper: PathBuf,
    /// An empty directory on the same file system as `upper`, which overlayfs works in.
    pub work: PathBuf,
    /// Options besides, such as `userxattr`.
    pub more: Vec<&'static str>,
    /// Flags of the mount.
    pub flags: MsFlags,
}

/// `path` as it can stand among the options of a mount: commas and colons separate them.
pub fn escape(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,")
}

/// The extended attribute of a directory that shows nothing from below.
pub(crate) fn opaque_attribute(rootless: bool) -> &'static CStr {
    if rootless { c"user.overlay.opaque" } else { c"trusted.overlay.opaque" }
}
