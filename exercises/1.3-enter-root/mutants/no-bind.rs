//! diagnosis: not-a-mount
//!
//! Pivots into a plain directory. Made by those who take "new root" for "any directory".

use std::path::Path;

use look::Result;
use look::kernel::{self, MntFlags, MsFlags};

pub fn enter_root(root: &Path) -> Result<()> {
    kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", "keep mounts here")?;
    kernel::chdir(root, "stand on the new root")?;
    kernel::pivot_root(".", ".", "swap the roots")?;
    kernel::umount(".", MntFlags::MNT_DETACH, "take the old one away")?;
    kernel::chdir("/", "stand in the new root")
}
