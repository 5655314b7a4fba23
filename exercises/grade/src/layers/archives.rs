//! 4.4: what is in a layer.

use std::fs::File;
use std::io::BufReader;

use subject::protocol::{Call, Order, Report};
use subject::scene::archives::LAYER;
use tar::{Archive, EntryType};

use super::others;
use crate::session::Session;
use crate::{Seen, Stop, returned};

/// The names of the facts, and their words.
pub(crate) mod rows {
    /// What the layer should have, in the order of the walk.
    pub(crate) const MEMBERS: [&str; 16] = [
        OLD,
        "bin/",
        "bin/ash",
        "bin/sh",
        "etc/",
        HOSTS,
        LATIN1,
        "etc/issue",
        "etc/motd",
        OPT,
        OPT_MARKER,
        SRV,
        SRV_MARKER,
        "srv/data/",
        OLDER,
        LAST,
    ];
    /// Deletions: at the top, in a directory, and deeper.
    pub(crate) const OLD: &str = ".wh.old";
    pub(crate) const HOSTS: &str = "etc/.wh.hosts";
    /// A name that is not UTF-8.
    pub(crate) const LATIN1: &str = r"etc/.wh.caf\xe9";
    pub(crate) const OLDER: &str = "srv/data/.wh.older";
    /// Opaque directories, and their markers.
    pub(crate) const OPT: &str = "opt/";
    pub(crate) const OPT_MARKER: &str = "opt/.wh..wh..opq";
    pub(crate) const SRV: &str = "srv/";
    pub(crate) const SRV_MARKER: &str = "srv/.wh..wh..opq";
    pub(crate) const LAST: &str = "srv/data/new";
    pub(crate) const OTHERS: &str = "anything else";
    pub(crate) const ORDER: &str = "what comes before its directory";
    pub(crate) const FULL: &str = "to a disk that is full";
    pub(crate) const BAD_FILE: &str = "to a disk that fails once, at a file";
    pub(crate) const BAD_MARKER: &str = "to a disk that fails once, at a marker";

    pub(crate) const MISSING: &str = "missing";
    pub(crate) const EMPTY: &str = "an empty file";
    pub(crate) const NOTHING: &str = "nothing";
}

/// 4.4
pub(crate) fn look_at(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    session.order(Order::Begin)?;
    let (process, outcome) = session.called(Call::TheFunction)?;
    let (mut facts, error) = returned(&outcome)?;
    if error.is_some() {
        return Ok(Seen { facts, error });
    }
    let members = members(&format!("/proc/{process}/root{LAYER}"))?;
    for expected in rows::MEMBERS {
        let found = members.iter().find(|(name, _)| name == expected);
        facts.say(expected, found.map_or(rows::MISSING, |(_, what)| what));
    }
    facts.say(rows::ORDER, before_its_directory(&members));
    facts.say(rows::OTHERS, others(members, &rows::MEMBERS));
    let disks = [
        (Call::DiskIsFull, rows::FULL),
        (Call::DiskFailsAtFile, rows::BAD_FILE),
        (Call::DiskFailsAtMarker, rows::BAD_MARKER),
    ];
    for (call, row) in disks {
        session.order(Order::Continue)?;
        let (_, outcome) = session.called(call)?;
        facts.say(row, if returned(&outcome)?.1.is_some() { "an error" } else { "ok" });
    }
    Ok(Seen { facts, error })
}

/// The members of an archive: their names, and what they are in words.
fn members(archive: &str) -> std::io::Result<Vec<(String, String)>> {
    let mut archive = Archive::new(BufReader::new(File::open(archive)?));
    let mut members = Vec::new();
    for member in archive.entries()? {
        let member = member?;
        let header = member.header();
        let mode = header.mode()? & 0o7777;
        let link = || member.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
        let what = match header.entry_type() {
            EntryType::Directory => format!("a directory, {mode:o}"),
            EntryType::Regular if member.size() == 0 => rows::EMPTY.into(),
            EntryType::Regular => format!("a file, {mode:o}, {} bytes", member.size()),
            EntryType::Link => format!("a hard link to {}", link().unwrap_or_default()),
            EntryType::Symlink => format!("a symlink to {}", link().unwrap_or_default()),
            EntryType::Char => "a device".into(),
            other => format!("{other:?}"),
        };
        members.push((member.path_bytes().escape_ascii().to_string(), what));
    }
    Ok(members)
}

/// The members whose directory comes only after them.
fn before_its_directory(members: &[(String, String)]) -> String {
    let position = |wanted: &str| members.iter().position(|(name, _)| name == wanted);
    let too_early = members.iter().enumerate().filter(|(at, (name, _))| {
        let parent = name.trim_end_matches('/').rfind('/').map(|slash| &name[..=slash]);
        parent.and_then(position).is_some_and(|parent| parent > *at)
    });
    let names: Vec<&str> = too_early.map(|(_, (name, _))| name.as_str()).collect();
    if names.is_empty() { rows::NOTHING.into() } else { names.join(", ") }
}
