//! A cgroup that is made, limited, moved into and removed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::child::{Attempt, Refusal, in_child};

/// The controllers that every limit of a first container needs.
pub const CONTROLLERS: [&str; 2] = ["memory", "pids"];

/// What a try in a v2 tree showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// Limits were set and a process moved.
    Limits,
    /// All is allowed, but controllers can be handed down only by a cgroup without processes of its own.
    Occupied,
}

/// Makes a cgroup below `parent`, limits it, and moves a process into it.
pub fn limit_v2(parent: &Path) -> Attempt<Proof> {
    let scratch = ScratchGroup::new(parent)?;
    let available = read(&parent.join("cgroup.controllers"))?;
    if let Some(missing) = CONTROLLERS.iter().find(|name| !available.split_whitespace().any(|have| have == **name)) {
        return Err(Refusal::wrong("read", "cgroup.controllers", &format!("it has no {missing}")));
    }
    let Some(_handed) = HandedDown::new(parent)? else { return Ok(Proof::Occupied) };
    write(&scratch.path.join("memory.max"), "1073741824")?;
    write(&scratch.path.join("pids.max"), "100")?;
    in_child(|| write(&scratch.path.join("cgroup.procs"), "0"))?;
    Ok(Proof::Limits)
}

/// Makes a cgroup below `parent` and moves a process into it.
pub fn move_into(parent: &Path) -> Attempt {
    let scratch = ScratchGroup::new(parent)?;
    in_child(|| write(&scratch.path.join("cgroup.procs"), "0"))
}

/// Does what [`limit_v2`] does in a v1 hierarchy, which has one of the controllers.
pub fn limit_v1(parent: &Path) -> Attempt {
    let scratch = ScratchGroup::new(parent)?;
    let limits = [("memory.limit_in_bytes", "1073741824"), ("pids.max", "100")];
    let known = limits.iter().find(|(file, _)| scratch.path.join(file).exists());
    known.map_or(Ok(()), |(file, value)| write(&scratch.path.join(file), value))?;
    in_child(|| write(&scratch.path.join("cgroup.procs"), "0"))
}

fn read(file: &Path) -> Attempt<String> {
    std::fs::read_to_string(file).map_err(|error| Refusal::io("read", file.display().to_string(), &error))
}

fn write(file: &Path, text: &str) -> Attempt {
    std::fs::write(file, text).map_err(|error| Refusal::io("write", format!("{text} to {}", file.display()), &error))
}

/// A cgroup that goes away again.
struct ScratchGroup {
    path: PathBuf,
}

impl ScratchGroup {
    fn new(parent: &Path) -> Attempt<ScratchGroup> {
        let path = parent.join(format!("tinbox-doctor-{}", std::process::id()));
        match std::fs::create_dir(&path) {
            Ok(()) => Ok(ScratchGroup { path }),
            Err(error) => Err(Refusal::io("mkdir", path.display().to_string(), &error)),
        }
    }
}

impl Drop for ScratchGroup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.path);
    }
}

/// The controllers, handed down to the children of a cgroup, and taken back if they were not before.
struct HandedDown {
    file: PathBuf,
    take_back: String,
}

impl HandedDown {
    /// Nothing, if the cgroup has processes of its own and so may not (the "no internal processes" rule).
    fn new(parent: &Path) -> Attempt<Option<HandedDown>> {
        let file = parent.join("cgroup.subtree_control");
        let had = read(&file)?;
        let missing = CONTROLLERS.iter().filter(|name| !had.split_whitespace().any(|have| have == **name));
        let missing: Vec<&str> = missing.copied().collect();
        let signed = |sign: char| missing.iter().map(|name| format!("{sign}{name} ")).collect::<String>();
        if !missing.is_empty() {
            match std::fs::write(&file, signed('+')) {
                Err(error) if error.kind() == ErrorKind::ResourceBusy => return Ok(None),
                Err(error) => return Err(Refusal::io("write", file.display().to_string(), &error)),
                Ok(()) => {}
            }
        }
        Ok(Some(HandedDown { file, take_back: signed('-') }))
    }
}

impl Drop for HandedDown {
    fn drop(&mut self) {
        if !self.take_back.is_empty() {
            let _ = std::fs::write(&self.file, &self.take_back);
        }
    }
}
