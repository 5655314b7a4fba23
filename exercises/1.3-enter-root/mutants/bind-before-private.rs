//! diagnosis: leaks-to-host
//!
//! The right calls, but the bind comes before the mounts are private. Made by those who add the private line when
//! pivot_root complains, right above it.

use std::path::Path;

use look::Result;
use look::kernel::{self, MntFlags, MsFlags};

pub fn enter_root(root: &Path) -> Result<()> {
    kernel::mount(root, root, "", MsFlags::MS_BIND | MsFlags::MS_REC, "", "make it a mount")?;
    kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", "keep mounts here")?;
    kernel::chdir(root, "stand on the new root")?;
    kernel::pivot_root(".", ".", "swap the roots")?;
    kernel::umount(".", MntFlags::MNT_DETACH, "take the old one away")?;
    kernel::chdir("/", "stand in the new root")
}
