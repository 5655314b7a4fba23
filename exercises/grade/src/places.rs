//! Names for the directories of the stand-in host.

use std::os::unix::fs::MetadataExt;

use look::evidence::Place;
use look::{Evidence, Seen};
use nix::unistd::Pid;
use subject::host;

/// The words for the directory that an answer is to make its root.
pub(crate) const NEW_ROOT: &str = "the new root";
/// The words for the root of the stand-in host.
pub(crate) const HOST_ROOT: &str = "the host's root";
/// The words for the place where an answer is called.
pub(crate) const START: &str = "where it started";

/// The directories of a stand-in host, recognised by device and inode, whatever path leads there.
pub(crate) struct Places(Vec<(&'static str, (u64, u64))>);

impl Places {
    /// Looks at the host whose first process is `init`.
    pub(crate) fn of(init: Pid) -> std::io::Result<Places> {
        let inside = format!("{}{}", host::NEW_ROOT, host::START_INSIDE);
        let named = [(NEW_ROOT, host::NEW_ROOT), (HOST_ROOT, "/"), (START, host::START), (START, inside.as_str())];
        let identity = |(name, path)| {
            let seen = std::fs::metadata(format!("/proc/{init}/root{path}"))?;
            Ok((name, (seen.dev(), seen.ino())))
        };
        named.into_iter().map(identity).collect::<std::io::Result<_>>().map(Places)
    }

    /// `the new root`, `the host's root`, `where it started`, or a path.
    pub(crate) fn name(&self, place: &Seen<Place>) -> String {
        let place = match place {
            Seen::Value(place) => place,
            Seen::Hidden(reason) => return format!("hidden: {reason}"),
        };
        let known = self.0.iter().find(|(_, identity)| *identity == (place.device, place.inode));
        match (known, place.path.strip_prefix(host::NEW_ROOT)) {
            (Some((name, _)), _) => (*name).to_owned(),
            (None, Some(below)) => format!("{below} in the new root"),
            (None, None) => place.path.clone(),
        }
    }

    /// The names of root and working directory.
    pub(crate) fn of_process(&self, evidence: &Evidence) -> (String, String) {
        (self.name(&evidence.root), self.name(&evidence.cwd))
    }
}
