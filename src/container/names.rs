//! Names of containers: links to their ids, each made in one step, so that two processes cannot both have one.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::state::State;

/// Takes the name `wanted` for the container `id`, or makes one up. Answers with the link.
pub fn claim(state: &State, id: &str, wanted: Option<&str>) -> Result<PathBuf> {
    let Some(wanted) = wanted else {
        return claim_made_up(state, id);
    };
    let valid = wanted.len() >= 2
        && wanted.starts_with(|c: char| c.is_ascii_alphanumeric())
        && wanted.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    ensure!(
        valid,
        "Invalid container name ({wanted}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, two characters or more"
    );
    let path = state.names().join(wanted);
    if let Err(error) = std::os::unix::fs::symlink(id, &path) {
        let owner = std::fs::read_link(&path).map(|id| id.display().to_string()).unwrap_or_default();
        ensure!(
            error.kind() != std::io::ErrorKind::AlreadyExists,
            "the name {wanted} is already in use by container {owner:.12}\n  help: `tinbox rm {wanted}` removes that one"
        );
        return Err(error).with_context(|| format!("make {}", path.display()));
    }
    Ok(path)
}

/// Two words that are easy to say, taken from the id; more of it if they are in use.
fn claim_made_up(state: &State, id: &str) -> Result<PathBuf> {
    const HOW: [&str; 16] = [
        "brave", "bright", "calm", "clever", "cosy", "eager", "gentle", "happy", "keen", "kind", "lively", "merry",
        "patient", "quick", "quiet", "warm",
    ];
    const WHAT: [&str; 16] = [
        "acorn", "badger", "beaver", "biscuit", "finch", "hedgehog", "heron", "kettle", "lantern", "maple", "otter",
        "pebble", "robin", "teapot", "thimble", "willow",
    ];
    let digit = |at: usize| usize::from_str_radix(&id[at..=at], 16).unwrap_or(0);
    for length in [0, 2, 6, 64] {
        let more = if length == 0 { String::new() } else { format!("_{}", &id[..length]) };
        let path = state.names().join(format!("{}_{}{more}", HOW[digit(0)], WHAT[digit(1)]));
        match std::os::unix::fs::symlink(id, &path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("make {}", path.display())),
        }
    }
    bail!("no name is free for container {id}")
}

/// Frees the name behind `link`, if it is still the container `id`'s.
pub fn release(link: &Path, id: &str) -> Result<()> {
    if std::fs::read_link(link).is_ok_and(|owner| owner == Path::new(id)) {
        std::fs::remove_file(link).with_context(|| format!("remove {}", link.display()))?;
    }
    Ok(())
}
