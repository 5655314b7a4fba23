//! 4.2: an answer that stacks layers.
//!
//! ```text
//! /srv/layers/bottom/  motd, old, bottom
//!            /middle/  motd, middle
//!            /top/     motd, top, and a whiteout: `old`
//! /srv/upper, /srv/work    where the changes go, and what overlayfs works in
//! /srv/merged              where the stack is to be seen
//! ```
//!
//! Below /srv/odd are such directories once more, with commas, colons and backslashes in their names.

use std::fs;
use std::path::{Path, PathBuf};

use images::Overlay;
use look::kernel::{self, MntFlags, MsFlags};
use look::{Error, Result};
use nix::sys::stat::{Mode, SFlag, mknod};

use super::{Stage, nothing};
use crate::protocol::{Call, Report, Said};
use crate::try_it::try_it;

/// Where the stack is to be seen.
pub const MERGED: &str = "/srv/merged";
/// Where the changes go.
pub const UPPER: &str = "/srv/upper";
/// What overlayfs works in.
pub const WORK: &str = "/srv/work";
/// The layers, bottom first. Each has a file with its last name, and a `motd` that says it.
pub const LAYERS: [&str; 3] = ["/srv/layers/bottom", "/srv/layers/middle", "/srv/layers/top"];
/// A file that all have.
pub const COMMON: &str = "motd";
/// A file of the bottom layer, which the top layer deletes.
pub const DELETED: &str = "old";
/// A file that is written to the stack.
pub const WRITTEN: &str = "new";
/// A file of the bottom layer that is deleted in the stack.
pub const REMOVED: &str = "bottom";
/// What is asked for besides.
pub const MORE: [&str; 2] = ["userxattr", "volatile"];

/// The same with odd names.
pub const ODD_MERGED: &str = "/srv/odd/merged";
/// Likewise.
pub const ODD_UPPER: &str = r"/srv/odd/up\per";
const ODD_WORK: &str = "/srv/odd/wo,rk";
/// Likewise.
pub const ODD_LAYERS: [&str; 2] = ["/srv/odd/10:30", "/srv/odd/this,that"];

/// A target that is not there.
pub const NOWHERE: &str = "/srv/nowhere";
/// For that. Overlayfs refuses a work directory that a volatile overlay has used, wherever the target is.
const UNUSED_UPPER: &str = "/srv/unused/upper";
const UNUSED_WORK: &str = "/srv/unused/work";

pub(super) fn play(stage: &Stage<'_>, stack: fn(&Overlay, &Path) -> Result<()>) {
    let failed = |error: std::io::Error| Error::io("furnish", "/srv", &error);
    if let Err(error) = furnish().map_err(failed).and_then(|()| possible()) {
        return drop(stage.channel.send(&Report::Blocked { error: error.to_string() }));
    }
    let overlay = overlay(&LAYERS, UPPER, WORK);
    stage.report(Call::TheFunction, nothing(|| stack(&overlay, Path::new(MERGED))));
    stage.report(Call::WriteToTheStack, try_it(write));
    let odd = self::overlay(&ODD_LAYERS, ODD_UPPER, ODD_WORK);
    let odd_names = || {
        stack(&odd, Path::new(ODD_MERGED))?;
        let written = fs::write(Path::new(ODD_MERGED).join(WRITTEN), "");
        written.map_err(|error| Error::io("write", "to the stack", &error))
    };
    stage.report(Call::StackOddNames, nothing(odd_names));
    let unused = self::overlay(&LAYERS, UNUSED_UPPER, UNUSED_WORK);
    stage.report(Call::StackNowhere, nothing(|| stack(&unused, Path::new(NOWHERE))));
}

fn overlay(layers: &[&str], upper: &str, work: &str) -> Overlay {
    Overlay {
        layers: layers.iter().map(PathBuf::from).collect(),
        upper: upper.into(),
        work: work.into(),
        more: MORE.to_vec(),
        flags: MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
    }
}

fn furnish() -> std::io::Result<()> {
    let directories = [UPPER, WORK, MERGED, ODD_UPPER, ODD_WORK, ODD_MERGED, UNUSED_UPPER, UNUSED_WORK];
    for directory in directories.into_iter().chain(LAYERS).chain(ODD_LAYERS) {
        fs::create_dir_all(directory)?;
    }
    for layer in LAYERS.into_iter().chain(ODD_LAYERS).map(Path::new) {
        let name = layer.file_name().unwrap_or_default();
        fs::write(layer.join(COMMON), name.as_encoded_bytes())?;
        fs::write(layer.join(name), "")?;
    }
    let [bottom, _, top] = LAYERS.map(Path::new);
    fs::write(bottom.join(DELETED), "")?;
    Ok(mknod(&top.join(DELETED), SFlag::S_IFCHR, Mode::empty(), 0)?)
}

/// Whether this kernel stacks anything here.
fn possible() -> Result<()> {
    let [lower, ..] = LAYERS;
    let read_only = format!("lowerdir={lower}:{UPPER},{}", MORE[0]);
    kernel::mount("overlay", MERGED, "overlay", MsFlags::empty(), &read_only, "to see whether it can be done")?;
    kernel::umount(MERGED, MntFlags::empty(), "it can")
}

/// What a container does to its root.
fn write() -> Result<Said> {
    let merged = Path::new(MERGED);
    let failed = |error: std::io::Error| Error::io("write", "to the stack", &error);
    fs::write(merged.join(WRITTEN), "").map_err(failed)?;
    match fs::remove_file(merged.join(REMOVED)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(Said::Nothing),
    }
}
