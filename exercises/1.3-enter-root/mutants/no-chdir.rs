//! diagnosis: cwd-left-behind
//!
//! Leaves the working directory where it was. Made by those who follow an example that runs in `/`, where the
//! kernel moves the working directory along.

use std::path::Path;

use look::Result;
use look::kernel::{self, MntFlags, MsFlags};

pub fn enter_root(root: &Path) -> Result<()> {
    kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", "keep mounts here")?;
    kernel::mount(root, root, "", MsFlags::MS_BIND | MsFlags::MS_REC, "", "make it a mount")?;
    let old = root.join("old");
    std::fs::create_dir_all(&old).map_err(|error| look::Error::io("mkdir", "old", &error))?;
    kernel::pivot_root(root, &old, "swap the roots")?;
    kernel::umount("/old", MntFlags::MNT_DETACH, "take the old one away")
}
