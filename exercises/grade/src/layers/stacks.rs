//! 4.2: what is seen of a stack, and where that goes which is written to it.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use look::mountinfo::{Mount, mounts_of};
use nix::unistd::Pid;
use subject::protocol::{Call, Order, Outcome, Report};
use subject::scene::stacks::{
    COMMON, DELETED, LAYERS, MERGED, MORE, NOWHERE, ODD_LAYERS, ODD_MERGED, ODD_UPPER, REMOVED, UPPER, WORK, WRITTEN,
};

use crate::session::Session;
use crate::{Seen, Stop, returned};

/// The names of the facts, and their words.
pub(crate) mod rows {
    /// What stood in the call that failed: shown with the error, and so in no table.
    pub(crate) const OPTIONS: &str = "options";
    pub(crate) const MOUNTED: &str = "what is mounted there";
    pub(crate) const ALL: &str = "a file of each layer";
    pub(crate) const COMMON: &str = "a file that all have";
    pub(crate) const DELETED: &str = "a file that the top layer deletes";
    pub(crate) const WRITTEN: &str = "what is written";
    pub(crate) const REMOVED: &str = "what is deleted";
    pub(crate) const LAYERS: &str = "the layers afterwards";
    pub(crate) const MORE: &str = "options besides";
    pub(crate) const FLAGS: &str = "flags of the mount";
    pub(crate) const ODD: &str = "directories with odd names";
    pub(crate) const NOWHERE: &str = "a target that is not there";

    pub(crate) const NOTHING: &str = "nothing";
    pub(crate) const MADE: &str = "was made";
    pub(crate) const OVERLAY: &str = "an overlay";
    pub(crate) const TO_UPPER: &str = "goes to the upper directory";
    pub(crate) const TO_WORK: &str = "goes to the work directory";
    pub(crate) const NOTED: &str = "gets a whiteout in the upper directory";
    pub(crate) const AS_THEY_WERE: &str = "as they were";
    pub(crate) const THERE: &str = "is there";
}

/// 4.2
pub(crate) fn look_at(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    session.order(Order::Begin)?;
    let (process, outcome) = session.called(Call::TheFunction)?;
    let (mut facts, error) = returned(&outcome)?;
    let mounts = mounts_of(process)?;
    let there: Vec<&Mount> = mounts.iter().filter(|mount| mount.target == MERGED).collect();
    facts.say(rows::MOUNTED, mounted(&there));
    if let Some(error) = error {
        facts.say(rows::OPTIONS, error.as_str());
        return Ok(Seen { facts, error: Some(error) });
    }
    let inside = Inside(process);
    facts.say(rows::ALL, inside.all());
    facts.say(rows::COMMON, inside.common());
    facts.say(rows::DELETED, if inside.has(MERGED, DELETED) { THERE_AGAIN } else { "is gone" });
    session.order(Order::Continue)?;
    let (_, outcome) = session.called(Call::WriteToTheStack)?;
    facts.say(rows::WRITTEN, inside.written(&outcome));
    facts.say(rows::REMOVED, inside.removed());
    facts.say(rows::LAYERS, inside.layers());
    facts.say(rows::MORE, more(process)?);
    facts.say(rows::FLAGS, there.last().map_or_else(String::new, |mount| flags(mount)));
    session.order(Order::Continue)?;
    let (_, outcome) = session.called(Call::StackOddNames)?;
    let (said, odd) = returned(&outcome)?;
    facts.say(rows::ODD, if odd.is_none() { inside.odd().into() } else { said.get("returned").to_owned() });
    session.order(Order::Continue)?;
    let (_, outcome) = session.called(Call::StackNowhere)?;
    let nowhere = match returned(&outcome)?.1 {
        _ if inside.path(NOWHERE, "").exists() => rows::MADE,
        Some(_) => "an error",
        None => "ok",
    };
    facts.say(rows::NOWHERE, nowhere);
    Ok(Seen { facts, error: odd })
}

const THERE_AGAIN: &str = "is there all the same";

fn mounted(there: &[&Mount]) -> String {
    match there {
        [] => rows::NOTHING.into(),
        [mount] if mount.fstype == "overlay" => rows::OVERLAY.into(),
        [mount] => format!("a {}", mount.fstype),
        several => format!("{} mounts, one on top of the other", several.len()),
    }
}

/// Which of the options that were asked for the kernel names for this mount.
fn more(process: Pid) -> Result<String, Stop> {
    let table = std::fs::read_to_string(format!("/proc/{process}/mountinfo"))?;
    let line = table.lines().rfind(|line| line.split(' ').nth(4) == Some(MERGED)).unwrap_or_default();
    let options = line.rsplit(' ').next().unwrap_or_default();
    // Newer kernels say `volatile` as `fsync=volatile`.
    let has = |wanted: &str| options.split([',', '=']).any(|option| option == wanted);
    let found: Vec<_> = MORE.into_iter().filter(|option| has(option)).collect();
    Ok(if found.is_empty() { "none".into() } else { found.join(" ") })
}

fn flags(mount: &Mount) -> String {
    let known = ["nosuid", "nodev", "noexec", "ro"];
    let found: Vec<_> = known.into_iter().filter(|flag| mount.options.iter().any(|option| option == flag)).collect();
    if found.is_empty() { "none".into() } else { found.join(" ") }
}

/// What a process has, seen from outside.
struct Inside(Pid);

impl Inside {
    fn path(&self, directory: &str, name: &str) -> PathBuf {
        format!("/proc/{}/root{directory}/{name}", self.0).into()
    }

    fn has(&self, directory: &str, name: &str) -> bool {
        self.path(directory, name).symlink_metadata().is_ok()
    }

    /// Whether a file of each layer is seen in the stack.
    fn all(&self) -> String {
        let names = LAYERS.map(|layer| layer.rsplit('/').next().unwrap_or_default());
        let missing: Vec<_> = names.into_iter().filter(|name| !self.has(MERGED, name)).collect();
        if missing.is_empty() { rows::THERE.into() } else { format!("missing: {}", missing.join(" ")) }
    }

    /// Whose file it is that all have.
    fn common(&self) -> String {
        match std::fs::read_to_string(self.path(MERGED, COMMON)) {
            Ok(layer) => format!("the {layer} layer's"),
            Err(_) => "missing".into(),
        }
    }

    fn written(&self, outcome: &Outcome) -> String {
        if let Outcome::Failed { cause, .. } = outcome {
            return format!("error: {}", cause.as_deref().unwrap_or("see below"));
        }
        let places = [(UPPER, rows::TO_UPPER), (WORK, rows::TO_WORK)];
        let found = places.into_iter().find(|(directory, _)| self.has(directory, WRITTEN));
        found.map_or("goes elsewhere", |(_, words)| words).into()
    }

    fn removed(&self) -> &'static str {
        let is_whiteout = |path: &Path| {
            path.symlink_metadata().is_ok_and(|there| there.file_type().is_char_device() && there.rdev() == 0)
        };
        match () {
            () if is_whiteout(&self.path(UPPER, REMOVED)) => rows::NOTED,
            () if is_whiteout(&self.path(WORK, REMOVED)) => "gets a whiteout in the work directory",
            () if self.has(MERGED, REMOVED) => THERE_AGAIN,
            () => "is gone, without a note",
        }
    }

    /// What writing and deleting did to the layers.
    fn layers(&self) -> &'static str {
        let written = LAYERS.into_iter().any(|layer| self.has(layer, WRITTEN));
        if written || !self.has(LAYERS[0], REMOVED) { "changed" } else { rows::AS_THEY_WERE }
    }

    /// The same of the stack with odd names.
    fn odd(&self) -> &'static str {
        let names = ODD_LAYERS.map(|layer| layer.rsplit('/').next().unwrap_or_default());
        let all = names.into_iter().all(|name| self.has(ODD_MERGED, name));
        if all && self.has(ODD_UPPER, WRITTEN) { "stacked as well" } else { "something else is mounted" }
    }
}
