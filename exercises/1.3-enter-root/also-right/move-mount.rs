//! What is done on an initramfs, which cannot be pivoted away from: the new root is moved over the old one. Nothing
//! can climb out below it, because `..` of the topmost root ends where it began.

use std::path::Path;

use look::Result;
use look::kernel::{self, MsFlags};

pub fn enter_root(root: &Path) -> Result<()> {
    kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", "keep mounts here")?;
    kernel::mount(root, root, "", MsFlags::MS_BIND | MsFlags::MS_REC, "", "make it a mount")?;
    kernel::chdir(root, "stand on the new root")?;
    kernel::mount(".", "/", "", MsFlags::MS_MOVE, "", "put it over the old root")?;
    kernel::chroot(".", "and make it this process's root")?;
    kernel::chdir("/", "stand in it")
}
