//! 4.1: an answer that lays layers out.

use std::path::Path;

use anyhow::Result;
use images::{Layer, Tree};

use super::Stage;
use super::layers::{self, Is, Member, archive, lay_out, make_place};
use crate::protocol::{Call, Report, Said};
use crate::try_it::try_any;

/// The tree of a layer with everything in it.
pub const TREE: &str = "/srv/layers/tree";
/// The tree of a layer without members.
pub const EMPTY: &str = "/srv/layers/empty";
const CUT_OFF: &str = "/srv/layers/cut-off";
const CUT_BETWEEN: &str = "/srv/layers/cut-between";
const LED_OUT: &str = "/srv/layers/led-out";

/// The layer with everything in it.
const MEMBERS: [Member; 23] = [
    (layers::TOP, 0o711, Is::Directory),
    (b"bin", 0o755, Is::Directory),
    (b"bin/sh", 0o755, Is::File("a shell")),
    (b"bin/ash", 0o755, Is::HardLink("bin/sh")),
    (b"etc", 0o755, Is::Directory),
    (b"etc/motd", 0o644, Is::File("welcome")),
    (b"etc/shadow", 0o600, Is::File("a secret")),
    (b"etc/issue", 0o777, Is::Symlink("motd")),
    (b"etc/notes.wh.txt", 0o644, Is::File("mine")),
    (b"etc/.wh.hosts", 0o644, Is::Marker),
    (b"etc/.wh.caf\xe9", 0o644, Is::Marker),
    (b".wh.old", 0o644, Is::Marker),
    (b"var/cache/.wh.apt", 0o644, Is::Marker),
    (b".wh..wh.aufs", 0o644, Is::Marker),
    (b"srv", 0o755, Is::Directory),
    (b"srv/before", 0o644, Is::File("1")),
    (b"srv/.wh..wh..opq", 0o644, Is::Marker),
    (b"srv/after", 0o644, Is::File("2")),
    (b"opt/.wh..wh..opq", 0o644, Is::Marker),
    (b"opt", 0o750, Is::Directory),
    (b"etc/.wh.profile", 0o644, Is::Marker),
    (b"etc/profile", 0o644, Is::File("new")),
    (b"usr/last", 0o644, Is::File("the end")),
];

pub(super) fn play(stage: &Stage<'_>, apply: fn(&mut Layer<'_>, &mut Tree) -> Result<()>) {
    let archives = match archives() {
        Ok(archives) => archives,
        Err(error) => return drop(stage.channel.send(&Report::Blocked { error: format!("{error:#}") })),
    };
    for (call, archive, dir) in archives {
        stage.report(call, try_any(|| lay_out(&archive, Path::new(dir), apply).map(|()| Said::Nothing)));
    }
}

/// What the answer is called for: the layer with everything in it, one with nothing, and those that must be refused.
/// In each of these only one call fails.
fn archives() -> Result<[(Call, Vec<u8>, &'static str); 5]> {
    make_place()?;
    let mut cut_between = archive(&[(b"file", 0o644, Is::File("all here"))])?;
    cut_between.truncate(2 * 512);
    let led_out = archive(&[(b"out", 0o777, Is::Symlink("/srv/layers")), (b"out/file", 0o644, Is::File("not here"))])?;
    let mut cut_off = archive(&[(b"file", 0o644, Is::File("cut off in here"))])?;
    cut_off.truncate(512 + "cut off".len());
    Ok([
        (Call::TheFunction, archive(&MEMBERS)?, TREE),
        (Call::ApplyNothing, archive(&[])?, EMPTY),
        (Call::ApplyCutOff, cut_off, CUT_OFF),
        (Call::ApplyCutBetween, cut_between, CUT_BETWEEN),
        (Call::ApplyLedOut, led_out, LED_OUT),
    ])
}
