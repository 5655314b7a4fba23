//! 8.3: an answer that hides paths of an image.
//!
//! ```text
//! /srv/root/           the image
//! ├── keys             a file that is to be hidden
//! ├── firmware/blob    a directory that is
//! ├── kcore -> /secret     a trap: outside it is the host's file, inside a harmless one
//! ├── sys -> /home         another: /sys/power is the host's /home/power, or a harmless one
//! ├── secret, home/power/  the harmless ones
//! ```

use std::os::unix::fs::symlink;
use std::path::Path;

use chroot::inside::Root;
use look::kernel::{self, MsFlags};
use look::{Error, Result};

use super::{Stage, nothing};
use crate::host::NEW_ROOT;
use crate::protocol::{Call, Report};

/// What is in the file that is to be hidden.
pub const KEY: &str = "the key to everything";
/// A file that is to be hidden, in the new root.
pub const FILE: &str = "/keys";
/// A directory that is to be hidden.
pub const DIRECTORY: &str = "/firmware";
/// What symlinks of the image lead to, on the host and also inside.
pub const TARGETS: [&str; 2] = ["/secret", "/home/power"];

/// What is to be hidden, one after the other.
const PATHS: [(Call, &str); 5] = [
    (Call::MaskFile, FILE),
    (Call::MaskDirectory, DIRECTORY),
    (Call::MaskNothing, "/nothing/here"),
    (Call::MaskLink, "/kcore"),
    (Call::MaskBehindLink, "/sys/power"),
];

pub(super) fn play(stage: &Stage<'_>, mask: fn(&Root, &str) -> Result<()>) {
    let root = match furnish() {
        Ok(root) => root,
        Err(error) => return drop(stage.channel.send(&Report::Blocked { error: error.to_string() })),
    };
    stage.ready();
    for (call, path) in PATHS {
        stage.report(call, nothing(|| mask(&root, path)));
    }
}

fn furnish() -> Result<Root> {
    kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", "as it is in a container")?;
    let root = Path::new(NEW_ROOT);
    let inside = |path: &str| root.join(path.trim_start_matches('/'));
    let failed = |error: std::io::Error| Error::io("furnish", NEW_ROOT, &error);
    let made = || {
        for directory in [inside(DIRECTORY), inside(TARGETS[1]), TARGETS[1].into()] {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(inside(FILE), KEY)?;
        std::fs::write(inside(DIRECTORY).join("blob"), KEY)?;
        std::fs::write(inside(TARGETS[0]), KEY)?;
        symlink(TARGETS[0], inside("kcore"))?;
        symlink("/home", inside("sys"))
    };
    made().map_err(failed)?;
    Root::new(root)
}
