//! diagnosis: went-through-the-door
//!
//! Does after the first chroot what exercise 1.1 taught: chdir to `/`. Made by the tidy.

use look::kernel;
use look::{Error, Result};

pub fn escape() -> Result<()> {
    std::fs::create_dir("door").map_err(|error| Error::io("mkdir", "door", &error))?;
    kernel::chroot("door", "move the root down")?;
    kernel::chdir("/", "never leave the working directory outside")?;
    while !is_top()? {
        kernel::chdir("..", "up")?;
    }
    kernel::chroot(".", "the top")
}

fn is_top() -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let place = |path| {
        let here = std::fs::metadata(path).map_err(|error| Error::io("stat", path, &error))?;
        Ok((here.dev(), here.ino()))
    };
    Ok(place(".")? == place("..")?)
}
