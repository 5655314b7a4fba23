//! diagnosis: root-left-at-the-door
//!
//! Stops when it is outside. Made by those for whom being there is enough: relative paths lead anywhere, and the
//! first absolute one fails.

use look::kernel;
use look::{Error, Result};

pub fn escape() -> Result<()> {
    std::fs::create_dir("door").map_err(|error| Error::io("mkdir", "door", &error))?;
    kernel::chroot("door", "move the root down")?;
    while !is_top()? {
        kernel::chdir("..", "up")?;
    }
    Ok(())
}

fn is_top() -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let place = |path| {
        let here = std::fs::metadata(path).map_err(|error| Error::io("stat", path, &error))?;
        Ok((here.dev(), here.ino()))
    };
    Ok(place(".")? == place("..")?)
}
