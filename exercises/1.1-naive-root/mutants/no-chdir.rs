//! diagnosis: cwd-left-behind
//!
//! chroot(2) alone. Made by nearly everybody the first time: `/` looks right afterwards, and nothing complains.

use std::path::Path;

use look::Result;
use look::kernel;

pub fn naive_root(root: &Path) -> Result<()> {
    kernel::chroot(root, "a new root")
}
