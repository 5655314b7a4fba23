//! diagnosis: still-imprisoned
//!
//! Walks up without moving the root first. Made by those who heard that `..` leads out, and not under which
//! condition.

use look::kernel;
use look::{Error, Result};

pub fn escape() -> Result<()> {
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
