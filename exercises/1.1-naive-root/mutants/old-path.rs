//! diagnosis: old-path-inside
//!
//! Uses the path of the root once more, when it no longer leads anywhere. Made by those who write down the two
//! calls and give both the argument that they have.

use std::path::Path;

use look::Result;
use look::kernel;

pub fn naive_root(root: &Path) -> Result<()> {
    kernel::chroot(root, "a new root")?;
    kernel::chdir(root, "stand in it")
}
