//! 4.1: an answer that lays layers out.

use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

use super::Stage;
use super::layers::{Is, Member, archive, lay_out, make_place};
use crate::protocol::{Call, Report, Said};
use crate::try_it::try_any;

/// The tree of a layer with everything in it.
pub const TREE: &str = "/srv/layers/tree";
/// The tree of a layer without members.
pub const EMPTY: &str = "/srv/layers/empty";
const CUT_OFF: &str = "/srv/layers/cut-off";

/// The layer with everything in it.
const MEMBERS: [Member; 21] = [
    ("bin", 0o755, Is::Directory),
    ("bin/sh", 0o755, Is::File("a shell")),
    ("bin/ash", 0o755, Is::HardLink("bin/sh")),
    ("etc", 0o755, Is::Directory),
    ("etc/motd", 0o644, Is::File("welcome")),
    ("etc/shadow", 0o600, Is::File("a secret")),
    ("etc/issue", 0o777, Is::Symlink("motd")),
    ("etc/notes.wh.txt", 0o644, Is::File("mine")),
    ("etc/.wh.hosts", 0o644, Is::Marker),
    (".wh.old", 0o644, Is::Marker),
    ("var/cache/.wh.apt", 0o644, Is::Marker),
    (".wh..wh.aufs", 0o644, Is::Marker),
    ("srv", 0o755, Is::Directory),
    ("srv/before", 0o644, Is::File("1")),
    ("srv/.wh..wh..opq", 0o644, Is::Marker),
    ("srv/after", 0o644, Is::File("2")),
    ("opt/.wh..wh..opq", 0o644, Is::Marker),
    ("opt", 0o750, Is::Directory),
    ("etc/.wh.profile", 0o644, Is::Marker),
    ("etc/profile", 0o644, Is::File("new")),
    ("usr/last", 0o644, Is::File("the end")),
];

pub(super) fn play(stage: &Stage<'_>, apply: fn(&mut Layer<'_>, &mut Tree) -> Result<()>) {
    let (full, empty, cut_off) = match archives() {
        Ok(archives) => archives,
        Err(error) => return drop(stage.channel.send(&Report::Blocked { error: format!("{error:#}") })),
    };
    for (call, archive, dir) in
        [(Call::TheFunction, full, TREE), (Call::ApplyNothing, empty, EMPTY), (Call::ApplyCutOff, cut_off, CUT_OFF)]
    {
        stage.report(call, try_any(|| lay_out(&archive, Path::new(dir), apply).map(|()| Said::Nothing)));
    }
}

/// The layer with everything in it, one with nothing, and one that was cut off in the content of a file.
fn archives() -> Result<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    make_place()?;
    let mut cut_off = archive(&[("file", 0o644, Is::File("cut off in here"))])?;
    cut_off.truncate(512 + "cut off".len());
    Ok((archive(&MEMBERS)?, archive(&[])?, cut_off))
}
