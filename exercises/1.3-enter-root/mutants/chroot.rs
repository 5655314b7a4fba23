//! diagnosis: only-a-chroot
//!
//! Uses chroot(2) once more, on a mount this time. Made by those who have a working naive_root and compare the
//! two by what `ls /` shows.

use std::path::Path;

use look::Result;
use look::kernel::{self, MntFlags, MsFlags};

pub fn enter_root(root: &Path) -> Result<()> {
    kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", "keep mounts here")?;
    kernel::mount(root, root, "", MsFlags::MS_BIND | MsFlags::MS_REC, "", "make it a mount")?;
    kernel::chdir(root, "stand on the new root")?;
    kernel::chroot(".", "the new root")
}
