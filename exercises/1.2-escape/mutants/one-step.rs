//! diagnosis: not-far-enough
//!
//! One `..`, because one was enough in the example. Made by those who tried it in the root's top directory.

use look::kernel;
use look::{Error, Result};

pub fn escape() -> Result<()> {
    std::fs::create_dir("door").map_err(|error| Error::io("mkdir", "door", &error))?;
    kernel::chroot("door", "move the root down")?;
    kernel::chdir("..", "up and out")?;
    kernel::chroot(".", "the top")
}
