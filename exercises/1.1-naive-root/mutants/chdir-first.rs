//! diagnosis: chdir-before-chroot
//!
//! Both calls, in the wrong order. Made by those who remember that there is a chdir, and not why.

use std::path::Path;

use look::Result;
use look::kernel;

pub fn naive_root(root: &Path) -> Result<()> {
    kernel::chdir("/", "stand at the root")?;
    kernel::chroot(root, "a new root")
}
