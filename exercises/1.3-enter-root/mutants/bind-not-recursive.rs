//! diagnosis: submounts-lost
//!
//! MS_BIND without MS_REC. Made by those who learnt bind mounts on directories in which nothing is mounted.

use std::path::Path;

use look::Result;
use look::kernel::{self, MntFlags, MsFlags};

pub fn enter_root(root: &Path) -> Result<()> {
    kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", "keep mounts here")?;
    kernel::mount(root, root, "", MsFlags::MS_BIND, "", "make it a mount")?;
    kernel::chdir(root, "stand on the new root")?;
    kernel::pivot_root(".", ".", "swap the roots")?;
    kernel::umount(".", MntFlags::MNT_DETACH, "take the old one away")?;
    kernel::chdir("/", "stand in the new root")
}
