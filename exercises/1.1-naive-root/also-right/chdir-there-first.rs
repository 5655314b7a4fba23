//! Goes to the new root first, then makes the place where it stands the root. With nix alone.

use std::path::Path;

use look::{Error, Result};

pub fn naive_root(root: &Path) -> Result<()> {
    let shown = root.display().to_string();
    nix::unistd::chdir(root).map_err(|errno| Error::call("chdir", shown.as_str(), errno))?;
    nix::unistd::chroot(".").map_err(|errno| Error::call("chroot", shown, errno))
}
