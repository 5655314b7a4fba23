//! 4.1: what layers became on disk.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::unistd::Pid;
use subject::protocol::{Call, Order, Outcome, Report};
use subject::scene::trees::{EMPTY, TREE};

use super::others;
use crate::session::Session;
use crate::{Diagnosis, Seen, Stop, diagnosis, returned};

/// The names of the facts, and their words.
pub(crate) mod rows {
    /// What is in the layer, or is deleted by it.
    pub(crate) const PATHS: [&str; 17] = [
        "bin",
        "bin/sh",
        "bin/ash",
        "etc",
        "etc/motd",
        "etc/shadow",
        "etc/issue",
        NOTES,
        HOSTS,
        LATIN1,
        OLD,
        APT,
        SRV,
        "srv/before",
        "srv/after",
        OPT,
        PROFILE,
    ];
    /// A file with `.wh.` in the middle of its name.
    pub(crate) const NOTES: &str = "etc/notes.wh.txt";
    /// What is deleted: in a directory of the layer, at the top, and in one that the layer does not describe.
    pub(crate) const HOSTS: &str = "etc/hosts";
    /// Likewise, in the encoding of another time: its name is not UTF-8.
    pub(crate) const LATIN1: &str = r"etc/caf\xe9";
    pub(crate) const OLD: &str = "old";
    pub(crate) const APT: &str = "var/cache/apt";
    /// Opaque directories: with files before and after the marker, and with the marker before itself.
    pub(crate) const SRV: &str = "srv";
    pub(crate) const OPT: &str = "opt";
    /// Deleted first, and brought again.
    pub(crate) const PROFILE: &str = "etc/profile";
    pub(crate) const LAST: &str = "usr/last";
    pub(crate) const OTHERS: &str = "anything else";
    pub(crate) const EMPTY: &str = "a layer without members";
    pub(crate) const CUT_OFF: &str = "a layer that is cut off";
    pub(crate) const CUT_BETWEEN: &str = "a layer that is cut off between members";
    pub(crate) const LED_OUT: &str = "a file through a symlink that leads out";
    /// The tree itself, whose path is empty.
    pub(crate) const TOP: &str = "the top itself (./)";
    pub(crate) const TOP_LAID_OUT: &str = "a directory, 711";

    pub(crate) const MISSING: &str = "missing";
    pub(crate) const WHITEOUT: &str = "a whiteout";
}

/// The directories that must be there for what is in them.
const IMPLIED: [&str; 3] = ["usr", "var", "var/cache"];

/// 4.1
pub(crate) fn look_at(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    session.order(Order::Begin)?;
    let (process, outcome) = session.called(Call::TheFunction)?;
    if let Outcome::Panicked { message, line } = &outcome {
        return Err(Stop::Early(panicked(message, *line, &tree(process, TREE)?)));
    }
    let (mut facts, error) = returned(&outcome)?;
    if error.is_some() {
        return Ok(Seen { facts, error });
    }
    let found = tree(process, TREE)?;
    let top = PathBuf::from(format!("/proc/{process}/root{TREE}"));
    facts.say(rows::TOP, described(&top, &top, &top.symlink_metadata()?)?);
    let expected = || rows::PATHS.into_iter().chain([rows::LAST]);
    for path in expected() {
        facts.say(path, found.get(path).map_or(rows::MISSING, String::as_str));
    }
    let known: Vec<&str> = expected().chain(IMPLIED).collect();
    facts.say(rows::OTHERS, others(found, &known));
    session.order(Order::Continue)?;
    let (_, outcome) = session.called(Call::ApplyNothing)?;
    let (said, error) = returned(&outcome)?;
    let left = others(tree(process, EMPTY)?, &[]);
    facts.say(
        rows::EMPTY,
        match (&error, left.as_str()) {
            (Some(_), _) => said.get("returned").to_owned(),
            (None, "nothing") => "an empty tree".into(),
            (None, left) => format!("has {left}"),
        },
    );
    let refused = [
        (Call::ApplyCutOff, rows::CUT_OFF),
        (Call::ApplyCutBetween, rows::CUT_BETWEEN),
        (Call::ApplyLedOut, rows::LED_OUT),
    ];
    for (call, row) in refused {
        session.order(Order::Continue)?;
        let (_, outcome) = session.called(call)?;
        facts.say(row, if returned(&outcome)?.1.is_some() { "an error" } else { "ok" });
    }
    Ok(Seen { facts, error })
}

/// The answer panicked. The members come one after the other, so what is laid out says at which of them.
fn panicked(message: &str, line: u32, laid_out: &BTreeMap<String, String>) -> Diagnosis {
    let mut diagnosis = diagnosis::panicked(message, line);
    let member = if laid_out.is_empty() {
        "The first member is `./`. It has an empty path, and so no `file_name()`. "
    } else if laid_out.contains_key(rows::HOSTS) && !laid_out.contains_key(rows::OLD) {
        r"It was at the member `etc/.wh.caf\xe9`, whose name is not UTF-8, and so no text: compare bytes. "
    } else {
        ""
    };
    diagnosis.words.insert_str(0, member);
    diagnosis
}

/// What is below `directory` as `process` has it, by paths from there.
fn tree(process: Pid, directory: &str) -> std::io::Result<BTreeMap<String, String>> {
    let top = PathBuf::from(format!("/proc/{process}/root{directory}"));
    let mut found = BTreeMap::new();
    let mut waiting = vec![top.clone()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
            let metadata = path.symlink_metadata()?;
            if metadata.is_dir() {
                waiting.push(path.clone());
            }
            let name = path.strip_prefix(&top).unwrap_or(&path).as_os_str().as_bytes().escape_ascii().to_string();
            found.insert(name, described(&top, &path, &metadata)?);
        }
    }
    Ok(found)
}

/// What something is, in words.
fn described(top: &Path, path: &Path, metadata: &Metadata) -> std::io::Result<String> {
    let kind = metadata.file_type();
    let mode = metadata.mode() & 0o7777;
    Ok(match () {
        () if kind.is_dir() && is_opaque(path) => format!("a directory, {mode:o}, opaque"),
        () if kind.is_dir() => format!("a directory, {mode:o}"),
        () if kind.is_symlink() => format!("a symlink to {}", std::fs::read_link(path)?.display()),
        () if kind.is_char_device() && metadata.rdev() == 0 => rows::WHITEOUT.into(),
        () if kind.is_file() && is_shell(top, path, metadata) => "the same file as bin/sh".into(),
        () if kind.is_file() => match std::fs::read_to_string(path)? {
            content if content.is_empty() => "an empty file".into(),
            content => format!("a file, {mode:o}: {content:?}"),
        },
        () => "a device".into(),
    })
}

/// Whether it is another name for bin/sh.
fn is_shell(top: &Path, path: &Path, metadata: &Metadata) -> bool {
    let shell = top.join("bin/sh");
    path != shell && shell.symlink_metadata().is_ok_and(|shell| shell.ino() == metadata.ino())
}

/// Whether overlayfs shows nothing from below in this directory: root's, or an ordinary user's.
fn is_opaque(directory: &Path) -> bool {
    let Ok(directory) = CString::new(directory.as_os_str().as_bytes()) else { return false };
    [c"trusted.overlay.opaque", c"user.overlay.opaque"].into_iter().any(|name| {
        let mut value = [0_u8; 1];
        // SAFETY: path and name are strings that end with a zero byte, and the buffer is as long as is said.
        let length =
            unsafe { libc::getxattr(directory.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
        length == 1 && value == *b"y"
    })
}
