//! 8.3: what is seen at the paths that an answer has hidden, and at those that it has not.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::Pid;
use subject::host::NEW_ROOT;
use subject::protocol::{Call, Order, Outcome, Report};
use subject::scene::masks::{DIRECTORY, FILE, KEY, TARGETS};

use crate::facts::Facts;
use crate::session::Session;
use crate::{Seen, Stop, returned};

/// The names of the facts, and their words.
pub(crate) mod rows {
    pub(crate) const FILE: &str = "a file";
    pub(crate) const DIRECTORY: &str = "a directory";
    pub(crate) const NOTHING: &str = "what is not there";
    pub(crate) const LINK: &str = "a symlink";
    pub(crate) const BEHIND: &str = "a directory behind a symlink";
    pub(crate) const HOST: &str = "the host's files are hidden";
    pub(crate) const INSIDE: &str = "other files of the image are hidden";
    pub(crate) const IMAGE: &str = "the image itself";

    pub(crate) const HIDDEN_FILE: &str = "reads as /dev/null";
    pub(crate) const HIDDEN_DIRECTORY: &str = "is empty and read-only";
    pub(crate) const WRITABLE: &str = "is empty, and can be written to";
    pub(crate) const NO: &str = "no";
    pub(crate) const AS_IT_WAS: &str = "as it was";
}

/// 8.3
pub(crate) fn look_at(session: &mut Session) -> Result<Seen, Stop> {
    let init = session.wait(|from, report| matches!(report, Report::Host).then_some(from))?;
    session.order(Order::Begin)?;
    session.wait(|_, report| matches!(report, Report::Ready).then_some(()))?;
    let mut seen = Seen { facts: Facts::default(), error: None };
    let calls = [
        (Call::MaskFile, rows::FILE),
        (Call::MaskDirectory, rows::DIRECTORY),
        (Call::MaskNothing, rows::NOTHING),
        (Call::MaskLink, rows::LINK),
        (Call::MaskBehindLink, rows::BEHIND),
    ];
    let mut process = init;
    for (call, what) in calls {
        session.order(Order::Continue)?;
        let (pid, outcome) = session.called(call)?;
        process = pid;
        let expected_to_fail = matches!(call, Call::MaskLink | Call::MaskBehindLink);
        let said = match (&outcome, call) {
            (Outcome::Done(_), Call::MaskFile) => file(&at(pid, FILE)),
            (Outcome::Done(_), Call::MaskDirectory) => directory(&at(pid, DIRECTORY)).into(),
            _ => {
                let (said, error) = returned(&outcome)?;
                if !expected_to_fail && seen.error.is_none() {
                    seen.error = error;
                }
                let said = said.get("returned").to_owned();
                if expected_to_fail && said.starts_with("error") { "an error".into() } else { said }
            }
        };
        seen.facts.say(what, said);
    }
    let host = |path: &str| (format!("/proc/{init}/root{path}"), format!("/proc/{process}/root{path}"));
    seen.facts.say(rows::HOST, changed(&TARGETS.map(host)));
    let image = |path: &str| host(&format!("{NEW_ROOT}{path}"));
    seen.facts.say(rows::INSIDE, changed(&TARGETS.map(image)));
    seen.facts.say(rows::IMAGE, image_below(init));
    Ok(seen)
}

/// A path of the image as the process sees it.
fn at(pid: Pid, path: &str) -> PathBuf {
    format!("/proc/{pid}/root{NEW_ROOT}{path}").into()
}

fn file(path: &Path) -> String {
    let null = std::fs::metadata("/dev/null").map(|null| null.rdev()).ok();
    match std::fs::metadata(path) {
        Ok(there) if there.file_type().is_char_device() && Some(there.rdev()) == null => rows::HIDDEN_FILE.into(),
        Ok(there) if there.is_file() && there.len() > 0 => "can be read".into(),
        Ok(there) if there.is_file() => "is an empty file".into(),
        Ok(_) => "is something else".into(),
        Err(_) => "is gone".into(),
    }
}

fn directory(path: &Path) -> &'static str {
    match std::fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
        Ok(true) => "can be read",
        Ok(false) if statvfs(path).is_ok_and(|flags| flags.flags().contains(FsFlags::ST_RDONLY)) => {
            rows::HIDDEN_DIRECTORY
        }
        Ok(false) => rows::WRITABLE,
        Err(_) => "is gone",
    }
}

/// Which of the targets are another file to the process than to the host.
fn changed(pairs: &[(String, String)]) -> String {
    let identity = |path: &str| std::fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    let differs = pairs.iter().zip(TARGETS).filter(|((host, process), _)| identity(host) != identity(process));
    let names: Vec<_> = differs.map(|(_, path)| path).collect();
    if names.is_empty() { rows::NO.into() } else { format!("yes: {}", names.join(" ")) }
}

/// The files below the masks, which the host still sees.
fn image_below(init: Pid) -> &'static str {
    let blob = at(init, DIRECTORY).join("blob");
    let whole = [at(init, FILE), blob].iter().all(|path| std::fs::read_to_string(path).is_ok_and(|text| text == KEY));
    if whole { rows::AS_IT_WAS } else { "changed" }
}
