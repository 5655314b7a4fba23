//! What is written down about a container.
//!
//! A container is a directory, named by its id: its record, and what it wrote. Its name is a link, made in one
//! step so that two processes cannot both have it. While it runs there is one more file, which the process that
//! looks after it holds a lock on. Who can take that lock knows that nobody looks after the container any more.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::container::process::Process;
use crate::container::{Options, root};
use crate::images::{Image, Name};
use crate::state::{State, read_record, write_record};

/// What is known about a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image, as it was asked for.
    pub image: String,
    /// The command, as it was asked for.
    pub command: Vec<String>,
    /// When it was created, in seconds since 1970.
    pub created: u64,
    /// Whether it is to be removed when it ends.
    pub remove: bool,
    /// How it ended, once it has.
    pub ended: Option<Ended>,
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its exit status.
    pub status: u8,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Running,
    /// It has ended.
    Exited(Ended),
    /// What looked after it was killed, so nobody knows how it ended.
    Lost,
}

/// A container that this process looks after.
#[derive(Debug)]
pub struct Container {
    id: String,
    directory: PathBuf,
    name: PathBuf,
    running: PathBuf,
    lock: File,
}

impl Container {
    /// Writes down a new container: first that it is looked after, then its name, then the rest.
    pub fn create(state: &State, image: &Image, image_name: &Name, options: &Options) -> Result<Container> {
        let id = new_id()?;
        let running = state.running().join(&id);
        let lock = look_after(&running)?;
        let name = claim_name(state, &id, options.name.as_deref()).inspect_err(|_| {
            // The error at hand is the one to report; what stays is cleared away by the next start.
            let _ = forget_running(&running);
        })?;
        let container = Container { directory: state.containers().join(&id), id, name, running, lock };
        match container.write_down(image, image_name, options) {
            Ok(()) => Ok(container),
            Err(error) => container.remove().and(Err(error)),
        }
    }

    fn write_down(&self, image: &Image, image_name: &Name, options: &Options) -> Result<()> {
        root::prepare(&self.directory)?;
        let command = if options.command.is_empty() { &image.config.cmd } else { &options.command };
        let record = Record {
            id: self.id.clone(),
            name: file_name(&self.name),
            image: image_name.to_string(),
            command: command.clone(),
            created: now(),
            remove: options.remove,
            ended: None,
        };
        write_record(&record_path(&self.directory), &record)
    }

    /// The id: 64 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where its record and what it wrote are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes down which process it is, so that it can be ended if this process is killed.
    pub fn runs_as(&self, pid: Pid) -> Result<()> {
        write!(&self.lock, "{pid} {}", start_time(pid).unwrap_or_default())
            .with_context(|| format!("write {}", self.running.display()))
    }

    /// Writes down how it ended.
    pub fn ended(self, status: u8) -> Result<()> {
        let path = record_path(&self.directory);
        // `tinbox rm --force` may have been quicker.
        if path.exists() {
            let mut record: Record = read_record(&path)?;
            record.ended = Some(Ended { status, at: now() });
            write_record(&path, &record)?;
        }
        forget_running(&self.running)
    }

    /// Removes all of it.
    pub fn remove(self) -> Result<()> {
        remove_files(&self.directory, &self.name)?;
        forget_running(&self.running)
    }
}

/// All containers, the newest first, each with where it is in its life.
pub fn all(state: &State) -> Result<Vec<(Record, Life)>> {
    reconcile(state)?;
    let containers = state.containers();
    let entries = std::fs::read_dir(&containers).with_context(|| format!("read {}", containers.display()))?;
    let mut found: Vec<(Record, Life)> = entries
        .flatten()
        .filter_map(|entry| read_record::<Record>(&record_path(&entry.path())).ok())
        .map(|record| {
            let life = life(state, &record);
            (record, life)
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    Ok(found)
}

/// The container that `wanted` means: a name, an id, or the beginning of one id.
pub fn find(state: &State, wanted: &str) -> Result<(Record, Life)> {
    let all = all(state)?;
    let exact = all.iter().find(|(record, _)| record.name == wanted || record.id == wanted);
    let mut beginning = all.iter().filter(|(record, _)| !wanted.is_empty() && record.id.starts_with(wanted));
    match (exact, beginning.next(), beginning.next()) {
        (Some(found), _, _) | (None, Some(found), None) => Ok(found.clone()),
        (None, Some(_), Some(_)) => bail!("{wanted} is the beginning of more than one container's id"),
        (None, None, _) => bail!("No such container: {wanted}"),
    }
}

/// Removes a container that does not run. One that runs is killed first if `force` is set.
pub fn remove(state: &State, wanted: &str, force: bool) -> Result<Record> {
    let (record, life) = find(state, wanted)?;
    if life == Life::Running {
        ensure!(force, "container {wanted} is running: end it first, or use --force");
        let running = state.running().join(&record.id);
        kill(&running)?;
        wait_until_ended(&running)?;
    }
    remove_files(&state.containers().join(&record.id), &state.names().join(&record.name))?;
    Ok(record)
}

/// Ends and clears away what a killed `tinbox` left: its container, and the files of one that was to be removed.
pub fn reconcile(state: &State) -> Result<()> {
    let dir = state.running();
    for entry in std::fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))?.flatten() {
        // The lock is held until all is cleared, so that nobody takes the file for a new container's.
        let Ok(file) = File::open(entry.path()) else { continue };
        if file.try_lock().is_err() {
            continue;
        }
        kill(&entry.path())?;
        let directory = state.containers().join(entry.file_name());
        match read_record::<Record>(&record_path(&directory)) {
            Ok(record) if !record.remove => {}
            Ok(record) => remove_files(&directory, &state.names().join(record.name))?,
            Err(_) => remove_unrecorded(state, &directory)?,
        }
        forget_running(&entry.path())?;
    }
    Ok(())
}

/// A container that was killed before its record was written: its directory, and the name that leads to it.
fn remove_unrecorded(state: &State, directory: &Path) -> Result<()> {
    root::remove(directory)?;
    for name in std::fs::read_dir(state.names())?.flatten() {
        if std::fs::read_link(name.path()).is_ok_and(|id| directory.ends_with(id)) {
            std::fs::remove_file(name.path())?;
        }
    }
    Ok(())
}

fn remove_files(directory: &Path, name: &Path) -> Result<()> {
    root::remove(directory)?;
    ignore_missing(std::fs::remove_file(name)).with_context(|| format!("remove {}", name.display()))
}

fn forget_running(running: &Path) -> Result<()> {
    ignore_missing(std::fs::remove_file(running)).with_context(|| format!("remove {}", running.display()))
}

fn ignore_missing(result: std::io::Result<()>) -> std::io::Result<()> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn life(state: &State, record: &Record) -> Life {
    match record.ended {
        Some(ended) => Life::Exited(ended),
        None if is_looked_after(&state.running().join(&record.id)) => Life::Running,
        None => Life::Lost,
    }
}

/// Makes the file that says that this process looks after a container, and holds its lock.
fn look_after(running: &Path) -> Result<File> {
    loop {
        let file = File::create_new(running).with_context(|| format!("make {}", running.display()))?;
        file.lock().with_context(|| format!("lock {}", running.display()))?;
        // Between the two steps another process may have taken it for one that was left behind.
        if running.exists() {
            return Ok(file);
        }
    }
}

fn is_looked_after(running: &Path) -> bool {
    File::open(running).is_ok_and(|file| file.try_lock_shared().is_err())
}

/// Waits until whoever looks after the container has let go of it.
fn wait_until_ended(running: &Path) -> Result<()> {
    match File::open(running) {
        Ok(file) => file.lock_shared().with_context(|| format!("wait for {}", running.display())),
        Err(_) => Ok(()),
    }
}

/// Kills the process that `running` names, if it is still the same one, and waits for its end.
fn kill(running: &Path) -> Result<()> {
    let text = std::fs::read_to_string(running).unwrap_or_default();
    let Some((pid, started)) = text.split_once(' ') else { return Ok(()) };
    let Ok(pid) = pid.parse().map(Pid::from_raw) else { return Ok(()) };
    let Some(process) = Process::open(pid) else { return Ok(()) };
    // The descriptor was opened first: if the start time matches now, it stands for the right process.
    if start_time(pid).as_deref() == Some(started) && process.signal(libc::SIGKILL) {
        process.wait_for_end();
    }
    Ok(())
}

/// When a process started, in clock ticks since boot: field 22 of proc_pid_stat(5). With the process id this
/// names a process for good.
fn start_time(pid: Pid) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19).map(str::to_owned)
}

fn claim_name(state: &State, id: &str, wanted: Option<&str>) -> Result<PathBuf> {
    let Some(wanted) = wanted else {
        return claim_made_up_name(state, id);
    };
    let valid = wanted.len() >= 2
        && wanted.starts_with(|c: char| c.is_ascii_alphanumeric())
        && wanted.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    ensure!(valid, "Invalid container name ({wanted}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
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
fn claim_made_up_name(state: &State, id: &str) -> Result<PathBuf> {
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

fn new_id() -> Result<String> {
    let mut bytes = [0_u8; 32];
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes)).context("read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn record_path(directory: &Path) -> PathBuf {
    directory.join("container.json")
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
