//! All containers: listing, finding and removing them, and clearing away what a killed Tinbox left.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use cgroups::Group;
use namespaces::Process;

use crate::container::lease::{self, Lease};
use crate::container::names;
use crate::container::record::{Life, Record, record_path};
use crate::lent_ids;
use crate::state::State;

/// All containers, the newest first, each with where it is in its life.
pub fn all(state: &State) -> Result<Vec<(Record, Life)>> {
    reconcile(state)?;
    let containers = state.containers();
    let entries = std::fs::read_dir(&containers).with_context(|| format!("read {}", containers.display()))?;
    let mut found: Vec<(Record, Life)> = Vec::new();
    for directory in entries.flatten().map(|entry| entry.path()) {
        let path = record_path(&directory);
        let Ok(record) = Record::read(&directory) else {
            // A power cut leaves a file without content, of a container that was to be removed anyway.
            if std::fs::metadata(&path).is_ok_and(|file| file.len() == 0) {
                remove_unrecorded(state, &directory)?;
            }
            continue;
        };
        match life(state, &record) {
            // The machine went down while it ran: nobody else will remove it.
            Life::Lost if record.remove => remove_files(state, &record)?,
            life => found.push((record, life)),
        }
    }
    found.sort_by(|(a, _), (b, _)| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    Ok(found)
}

/// There is no container of this name.
#[derive(Debug, thiserror::Error)]
#[error("No such container: {0}")]
pub struct NoSuch(String);

/// The container that `wanted` means: a name, an id, or the beginning of one id.
pub fn find(state: &State, wanted: &str) -> Result<(Record, Life)> {
    let all = all(state)?;
    let exact = all.iter().find(|(record, _)| record.name == wanted || record.id == wanted);
    let mut beginning = all.iter().filter(|(record, _)| !wanted.is_empty() && record.id.starts_with(wanted));
    match (exact, beginning.next(), beginning.next()) {
        (Some(found), _, _) | (None, Some(found), None) => Ok(found.clone()),
        (None, Some(_), Some(_)) => bail!("{wanted} is the beginning of more than one container's id"),
        (None, None, _) => bail!(NoSuch(wanted.to_owned())),
    }
}

/// A container that runs, and its first process.
pub fn find_running(state: &State, wanted: &str) -> Result<(Record, Process)> {
    let (record, _) = find(state, wanted)?;
    let process = lease::wait_for_process(&lease::path(state, &record.id))?;
    Ok((record, process.with_context(|| format!("container {wanted} is not running"))?))
}

/// Removes a container that does not run. One that runs is killed first if `force` is set.
pub fn remove(state: &State, wanted: &str, force: bool) -> Result<()> {
    let (record, life) = find(state, wanted)?;
    if life == Life::Running {
        ensure!(force, "container {wanted} is running: end it first, or use --force");
        let lease = lease::path(state, &record.id);
        // One that is paused must be let go, or it does not hear that it is to end.
        if let Some(group) = Group::open(&record.id) {
            group.kill()?;
        }
        if let Some(process) = lease::wait_for_process(&lease)? {
            process.end();
        }
        lease::wait_until_free(&lease)?;
    }
    remove_files(state, &record)
}

/// Ends and clears away what a killed `tinbox` left: its container, and the files of one that was to be removed.
pub fn reconcile(state: &State) -> Result<()> {
    let dir = state.running();
    for entry in std::fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))?.flatten() {
        // It is held until all is cleared, so that nobody takes the file for a new container's.
        let Some(lease) = Lease::inherit(&entry.path()) else { continue };
        lease::kill(&entry.path());
        cgroups::remove_leftover(&entry.file_name().to_string_lossy())?;
        let directory = state.containers().join(entry.file_name());
        match Record::read(&directory) {
            Ok(record) if record.remove => remove_files(state, &record)?,
            Ok(_) => {}
            // It was to be kept, and what is wrong with its record can perhaps be mended.
            Err(_) if std::fs::metadata(record_path(&directory)).is_ok_and(|record| record.len() > 0) => {}
            Err(_) => remove_unrecorded(state, &directory)?,
        }
        lease.end()?;
    }
    Ok(())
}

/// A container that was killed before its record was written: its directory, and the name that leads to it.
fn remove_unrecorded(state: &State, directory: &Path) -> Result<()> {
    lent_ids::remove_tree(directory)?;
    let id = directory.file_name().unwrap_or_default().to_string_lossy();
    for name in std::fs::read_dir(state.names())?.flatten() {
        names::release(&name.path(), &id)?;
    }
    Ok(())
}

fn remove_files(state: &State, record: &Record) -> Result<()> {
    lent_ids::remove_tree(&state.containers().join(&record.id))?;
    names::release(&state.names().join(&record.name), &record.id)
}

fn life(state: &State, record: &Record) -> Life {
    match record.ended {
        Some(ended) => Life::Exited(ended),
        None if lease::is_held(&lease::path(state, &record.id)) => Life::Running,
        None => Life::Lost,
    }
}
