//! diagnosis: never-private
//!
//! Leaves the mounts shared. Made by those who try it first on a machine, or in a container, where they are not.

use std::path::Path;

use look::Result;
use look::kernel::{self, MntFlags, MsFlags};

pub fn enter_root(root: &Path) -> Result<()> {
    kernel::mount(root, root, "", MsFlags::MS_BIND | MsFlags::MS_REC, "", "make it a mount")?;
    kernel::chdir(root, "stand on the new root")?;
    kernel::pivot_root(".", ".", "swap the roots")?;
    kernel::umount(".", MntFlags::MNT_DETACH, "take the old one away")?;
    kernel::chdir("/", "stand in the new root")
}
