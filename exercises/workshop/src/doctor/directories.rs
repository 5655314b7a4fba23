//! The two directories that fill: where cargo builds, and where Tinbox keeps its images and containers.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::child::{Attempt, Refusal, in_child};
use super::finding::{Advice, Finding, Subject};
use super::machine::Machine;

/// Below this a build or an image may not fit.
const ENOUGH: u64 = 2 << 30;

/// Where cargo builds.
pub fn probe_target(machine: &Machine) -> Finding {
    let subject = Subject {
        name: "target directory",
        did: "wrote a program into cargo's target directory, ran it, and asked for the space left",
        from_chapter: 0,
        serves: None,
    };
    let elsewhere = "export CARGO_TARGET_DIR=DIR   # DIR yours, and on a file system that is mounted without noexec";
    judge(subject, &machine.target, elsewhere, "cargo clean")
}

/// Where Tinbox keeps its images and containers.
pub fn probe_state(machine: &Machine) -> Finding {
    let subject = Subject {
        name: "state directory",
        did: "wrote a program where Tinbox keeps images, ran it, and asked for the space left",
        from_chapter: 1,
        serves: None,
    };
    let elsewhere = "export TINBOX_ROOT=DIR   # DIR yours, and on a file system that is mounted without noexec";
    match state_directory(machine, |name| std::env::var(name).ok()) {
        Some(dir) => judge(subject, &nearest(&dir), elsewhere, "export TINBOX_ROOT=DIR   # DIR on a larger disk"),
        None => {
            let advice = Advice::new("Without HOME, Tinbox does not know where to keep images.", [elsewhere]);
            subject.warn("HOME is not set, and /etc/passwd has no home for you", advice)
        }
    }
}

fn judge(subject: Subject, dir: &Path, elsewhere: &str, make_room: &str) -> Finding {
    let free = match in_child(|| write_and_run(dir)).and_then(|()| free_space(dir)) {
        Ok(free) => free,
        Err(refusal) => {
            let means = match (refusal.call.as_str(), refusal.is_forbidden()) {
                ("run", true) => format!("{} is mounted noexec: no program in it can be run.", dir.display()),
                ("write", _) => format!("Nothing can be written to {}.", dir.display()),
                _ => format!("{} does not behave as a directory on a disk does.", dir.display()),
            };
            return subject.warn(refusal, Advice::new(means, [elsewhere]));
        }
    };
    let said = format!("{}: runs programs, {} free", dir.display(), in_words(free));
    if free >= ENOUGH {
        return subject.ok(said);
    }
    subject.warn(said, Advice::new("Less than 2 GiB is free: a build or an image may not fit.", [make_room]))
}

/// Writes a script and runs it. `noexec` forbids a script as it forbids a program.
fn write_and_run(dir: &Path) -> Attempt {
    let scratch = Scratch::new(dir)?;
    let script = scratch.path.join("script");
    let shown = || script.display().to_string();
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o700)
        .open(&script)
        .and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 42\n"))
        .map_err(|error| Refusal::io("write", shown(), &error))?;
    let status = Command::new(&script).status().map_err(|error| Refusal::io("run", shown(), &error))?;
    if status.code() == Some(42) { Ok(()) } else { Err(Refusal::wrong("run", &shown(), &status.to_string())) }
}

fn free_space(dir: &Path) -> Attempt<u64> {
    let answer =
        nix::sys::statvfs::statvfs(dir).map_err(|errno| Refusal::new("statvfs", dir.display().to_string(), errno))?;
    Ok(answer.blocks_available() * answer.fragment_size())
}

fn in_words(bytes: u64) -> String {
    match bytes {
        0..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

/// Where Tinbox keeps its images: `TINBOX_ROOT`, or what is usual for this user.
pub fn state_directory(machine: &Machine, variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(root) = absolute("TINBOX_ROOT") {
        return Some(root);
    }
    if machine.is_root() {
        return Some("/var/lib/tinbox".into());
    }
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(machine.home.as_ref()?.join(".local/share")))?;
    Some(data.join("tinbox"))
}

/// The directory, or the one above it that is there: on the same file system, unless somebody mounts one.
pub fn nearest(dir: &Path) -> PathBuf {
    dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

/// A directory to try things in, which goes away again.
#[derive(Debug)]
pub struct Scratch {
    /// Where it is.
    pub path: PathBuf,
}

impl Scratch {
    /// Makes one in `parent`.
    pub fn new(parent: &Path) -> Attempt<Scratch> {
        for number in 0..1000 {
            let path = parent.join(format!(".tinbox-doctor-{}-{number}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Scratch { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(Refusal::io("write", path.display().to_string(), &error)),
            }
        }
        Err(Refusal::wrong("write", &parent.display().to_string(), "it is full of old scratch directories"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Overlay leaves a directory behind that nobody may read, not even its owner.
        let _ = std::fs::set_permissions(self.path.join("work/work"), std::fs::Permissions::from_mode(0o700));
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_where_the_runtime_keeps_it() {
        let user = Machine { uid: 1000, home: Some("/home/me".into()), ..Machine::default() };
        let find = |machine: &Machine, variables: &[(&str, &str)]| {
            let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
            state_directory(machine, variable)
        };
        assert_eq!(find(&user, &[]), Some("/home/me/.local/share/tinbox".into()));
        assert_eq!(find(&user, &[("XDG_DATA_HOME", "/data")]), Some("/data/tinbox".into()));
        assert_eq!(find(&user, &[("XDG_DATA_HOME", "data")]), Some("/home/me/.local/share/tinbox".into()));
        assert_eq!(find(&user, &[("TINBOX_ROOT", "/t")]), Some("/t".into()));
        assert_eq!(find(&Machine::default(), &[("XDG_DATA_HOME", "/data")]), Some("/var/lib/tinbox".into()));
        assert_eq!(find(&Machine { uid: 1000, ..Machine::default() }, &[]), None);
    }

    #[test]
    fn nothing_stays_in_the_directory_tried() {
        let dir = tempfile::tempdir().unwrap();
        in_child(|| write_and_run(dir.path())).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_missing_directory_is_judged_by_the_one_above() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(nearest(&dir.path().join("a/b")), dir.path());
    }

    #[test]
    fn sizes() {
        assert_eq!((in_words(5 << 20), in_words(3 << 30)), ("5 MiB".into(), "3 GiB".into()));
    }
}
