//! `tinbox`, the cgroup that all containers' cgroups are in, and the controllers that it hands on.
//!
//! It is made with the first container and stays, empty, until [`tidy`](crate::tidy) or the next boot, as Docker's
//! does: to make and take away a parent in each tree would cost every container more than its own cgroup.
//!
//! **No processes in the middle.** A cgroup of v2 that hands controllers on holds no processes (`EBUSY`), except for
//! the root of the machine. A part of the tree that a user was given often holds the user's own shell, and so does
//! the root that a container sees. Then these processes, all of them this user's, move one level down, into a leaf
//! called `outside`. What limits them stays as it was.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use look::kernel;
use nix::errno::Errno;

use crate::places::Layout;

/// The cgroup of all containers.
pub const PARENT: &str = "tinbox";
/// Where processes go that are in the way.
pub const LEAF: &str = "outside";
/// What every container gets, where it can be had: to be counted by. The others come when they are asked for.
const USUAL: [&str; 4] = ["cpu", "memory", "pids", "io"];

/// The cgroup of v2 below which containers get theirs, made if need be, with the controllers `wanted` for them.
///
/// [`confine`](crate::confine) makes its directory in here.
pub fn parent(wanted: &[&str]) -> Result<PathBuf> {
    let top = Layout::find()?.top().context("there is no cgroup v2 here that you may make cgroups in")?;
    let parent = top.join(PARENT);
    make(&parent)?;
    hand_on(&top, &USUAL);
    hand_on(&top, wanted);
    Ok(parent)
}

/// Makes `TOP/tinbox/ID`, and `prepare`s the parent if it was not there.
pub fn make_below(top: &Path, id: &str, prepare: &dyn Fn(&Path)) -> look::Result<PathBuf> {
    let parent = top.join(PARENT);
    let cgroup = parent.join(id);
    for _ in 0..100 {
        if !parent.exists() {
            make(&parent)?;
            prepare(top);
        }
        match kernel::make_cgroup(&cgroup, "a share of its own, with nobody in it yet") {
            // Somebody tidied up between these two calls.
            Err(error) if error.errno() == Some(Errno::ENOENT) => {}
            outcome => return outcome.map(|()| cgroup),
        }
    }
    Err(look::Error::call("mkdir", cgroup.display().to_string(), Errno::ENOENT))
}

/// Makes the parent; another process may be as quick.
fn make(parent: &Path) -> look::Result<()> {
    match kernel::make_cgroup(parent, "the cgroup of all containers") {
        Err(error) if error.errno() == Some(Errno::EEXIST) => Ok(()),
        outcome => outcome,
    }
}

/// Makes the usual controllers available to containers.
pub fn hand_on_usual(top: &Path) {
    hand_on(top, &USUAL);
}

/// Makes those of `wanted` that there are available to the cgroups in `TOP/tinbox`. What could not be had is not an
/// error here: it is one where a limit needs it, and there the file will be missing.
pub fn hand_on(top: &Path, wanted: &[&str]) {
    for dir in [top.to_owned(), top.join(PARENT)] {
        let words = |file| std::fs::read_to_string(dir.join(file)).unwrap_or_default();
        let (there, on) = (words("cgroup.controllers"), words("cgroup.subtree_control"));
        let has = |list: &str, wanted: &str| list.split_whitespace().any(|word| word == wanted);
        let missing: Vec<_> = wanted.iter().filter(|wanted| has(&there, wanted) && !has(&on, wanted)).collect();
        // The top of the machine, which may keep its processes, has no events.
        if !missing.is_empty() && dir.join("cgroup.events").exists() && move_aside(&dir).is_err() {
            return;
        }
        for controller in missing {
            let value = format!("+{controller}");
            let why = "let the cgroups in it have this controller";
            let _ = kernel::write_cgroup(&dir, "cgroup.subtree_control", &value, why);
        }
    }
}

/// Moves the processes that are in `dir` itself one level down. Before a controller is handed on, not after the first
/// `EBUSY`: some can be had by the threads of one process in several cgroups, and once the kernel has been told to do
/// that, it lets no process in below.
fn move_aside(dir: &Path) -> look::Result<()> {
    // New ones may be born while these move.
    for _ in 0..100 {
        let procs = std::fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
        if procs.is_empty() {
            break;
        }
        let leaf = dir.join(LEAF);
        if !leaf.exists() {
            kernel::make_cgroup(&leaf, "a leaf for the processes that are in the way")?;
        }
        let why = "a cgroup that hands controllers on holds no processes";
        for pid in procs.lines() {
            match kernel::write_cgroup(&leaf, "cgroup.procs", pid, why) {
                Err(error) if error.errno() != Some(Errno::ESRCH) => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// In a usual directory, where mkdir and rmdir are all there is to it.
    #[test]
    fn a_parent_that_is_tidied_away_is_made_again() {
        let top = tempfile::tempdir().unwrap();
        let times = Cell::new(0);
        let tidied_twice = |top: &Path| {
            times.set(times.get() + 1);
            if times.get() < 3 {
                std::fs::remove_dir(top.join(PARENT)).unwrap();
            }
        };
        assert!(make_below(top.path(), "id", &tidied_twice).unwrap().is_dir());
        assert_eq!(times.get(), 3);
    }

    #[test]
    fn a_name_that_is_taken_is_an_error() {
        let top = tempfile::tempdir().unwrap();
        make_below(top.path(), "id", &|_| ()).unwrap();
        assert_eq!(make_below(top.path(), "id", &|_| ()).unwrap_err().errno(), Some(Errno::EEXIST));
    }
}
