//! The way of the older manuals: a directory for the old root, and slave mounts instead of private ones.

use std::path::Path;

use look::{Error, Result};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

pub fn enter_root(root: &Path) -> Result<()> {
    let failed = |call| move |errno: Errno| Error::call(call, root.display().to_string(), errno);
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).map_err(failed("mount"))?;
    mount(Some(root), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, none).map_err(failed("mount"))?;
    let old = root.join(".old");
    std::fs::create_dir(&old).map_err(|error| Error::io("mkdir", old.display().to_string(), &error))?;
    nix::unistd::pivot_root(root, &old).map_err(failed("pivot_root"))?;
    nix::unistd::chdir("/").map_err(failed("chdir"))?;
    umount2("/.old", MntFlags::MNT_DETACH).map_err(failed("umount"))?;
    std::fs::remove_dir("/.old").map_err(|error| Error::io("rmdir", "/.old", &error))
}
