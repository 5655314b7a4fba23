//! 4.4: an answer that makes layers.

use std::fs::File;
use std::io::{BufWriter, Error, ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result};
use images::{LayerWriter, TreeWalk};

use super::Stage;
use super::layers::{Is, Member, archive, lay_out, make_place, rootless};
use crate::protocol::{Call, Report, Said};
use crate::try_it::try_any;

/// What the answer makes.
pub const LAYER: &str = "/srv/layers/layer.tar";
const UPPER: &str = "/srv/layers/upper";

/// What a container changed.
const CHANGES: [Member; 16] = [
    (b"bin", 0o755, Is::Directory),
    (b"bin/ash", 0o755, Is::File("a shell")),
    (b"bin/sh", 0o755, Is::HardLink("bin/ash")),
    (b"etc", 0o755, Is::Directory),
    (b"etc/.wh.hosts", 0o644, Is::Marker),
    (b"etc/.wh.caf\xe9", 0o644, Is::Marker),
    (b"etc/issue", 0o777, Is::Symlink("motd")),
    (b"etc/motd", 0o644, Is::File("welcome")),
    (b".wh.old", 0o644, Is::Marker),
    (b"opt", 0o750, Is::Directory),
    (b"opt/.wh..wh..opq", 0o644, Is::Marker),
    (b"srv", 0o755, Is::Directory),
    (b"srv/.wh..wh..opq", 0o644, Is::Marker),
    (b"srv/data", 0o700, Is::Directory),
    (b"srv/data/new", 0o600, Is::File("the end")),
    (b"srv/data/.wh.older", 0o644, Is::Marker),
];

type MakeLayer = fn(&mut TreeWalk, &mut LayerWriter<'_>) -> Result<()>;

pub(super) fn play(stage: &Stage<'_>, make: MakeLayer) {
    if let Err(error) = furnish() {
        return drop(stage.channel.send(&Report::Blocked { error: format!("{error:#}") }));
    }
    let to_disk = || {
        let mut file = BufWriter::new(File::create(LAYER).with_context(|| format!("make {LAYER}"))?);
        write(make, &mut file)
    };
    stage.report(Call::TheFunction, try_any(to_disk));
    stage.report(Call::DiskIsFull, try_any(|| write(make, &mut FullDisk)));
    for (call, member) in [(Call::DiskFailsAtFile, "etc/motd"), (Call::DiskFailsAtMarker, "etc/.wh.hosts")] {
        stage.report(call, try_any(|| write(make, &mut BadBlock { member, met: false })));
    }
}

fn furnish() -> Result<()> {
    make_place()?;
    lay_out(&archive(&CHANGES)?, Path::new(UPPER), images::apply_layer)
}

fn write(make: MakeLayer, out: &mut dyn Write) -> Result<Said> {
    let mut upper = TreeWalk::upper(Path::new(UPPER), rootless())?;
    let mut layer = LayerWriter::new(out);
    make(&mut upper, &mut layer)?;
    // A full disk is the answer's to notice.
    let _ = layer.finish();
    Ok(Said::Nothing)
}

/// A disk that fails once, where the header of `member` is written.
struct BadBlock {
    member: &'static str,
    met: bool,
}

impl Write for BadBlock {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !self.met && bytes.starts_with(self.member.as_bytes()) {
            self.met = true;
            return Err(Error::from_raw_os_error(libc::EIO));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct FullDisk;

impl Write for FullDisk {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(Error::from(ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
