//! What is written down about a container.
//!
//! A container is a directory, named by its id: its record, and what it wrote. Its name is a link to the id
//! (`names.rs`), and while it runs there is a lease on it (`lease.rs`).

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use images::Digest;
use images::oci::Config;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::container::lease::Lease;
use crate::container::{Options, Source, names, root};
use crate::lent_ids;
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
    /// The image's id. As long as the container is there, the image is.
    pub image_id: Digest,
    /// The command, without the entrypoint.
    pub command: Vec<String>,
    /// How it is started: the image's config, and over it what was asked for.
    pub config: Config,
    /// Its host name, if one was asked for.
    pub hostname: Option<String>,
    /// Whether it has a terminal.
    pub tty: bool,
    /// Whether standard input is passed on to it.
    pub interactive: bool,
    /// When it was created, in seconds since 1970.
    pub created: u64,
    /// Whether it is to be removed when it ends.
    pub remove: bool,
    /// How it ended, once it has.
    pub ended: Option<Ended>,
}

impl Record {
    /// Reads the record of the container in `directory`, whose name is its id.
    pub fn read(directory: &Path) -> Result<Record> {
        let path = record_path(directory);
        let record: Record = read_record(&path)?;
        let is_its = directory.file_name().is_some_and(|name| name == record.id.as_str());
        ensure!(is_its, "read {}: the id in it is not the name of its directory", path.display());
        Ok(record)
    }

    /// The first 12 digits of the id, which are enough to tell containers apart.
    pub fn short_id(&self) -> &str {
        short_id(&self.id)
    }
}

/// The first 12 digits of a container's id.
pub fn short_id(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Its exit status.
    pub status: u8,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Whether the kernel killed a process of it for want of memory.
    #[serde(default)]
    pub out_of_memory: bool,
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
    lease: Lease,
}

impl Container {
    /// Writes down a new container: first that it is looked after, then its name, then the rest.
    pub fn create(state: &State, from: &Source<'_>, config: &Config, options: &Options) -> Result<Container> {
        let id = new_id()?;
        let lease = Lease::take(state, &id)?;
        let name = match names::claim(state, &id, options.name.as_deref()) {
            Ok(name) => name,
            Err(error) => return lease.end().and(Err(error)),
        };
        let container = Container { directory: state.containers().join(&id), id, name, lease };
        match container.write_down(from, config, options) {
            Ok(()) => Ok(container),
            Err(error) => container.remove().and(Err(error)),
        }
    }

    fn write_down(&self, from: &Source<'_>, config: &Config, options: &Options) -> Result<()> {
        root::prepare(&self.directory)?;
        let record = Record {
            id: self.id.clone(),
            name: file_name(&self.name),
            image: from.name.to_owned(),
            image_id: from.image.id,
            command: config.cmd.clone(),
            config: config.clone(),
            hostname: options.hostname.clone(),
            tty: options.tty,
            interactive: options.interactive,
            created: now(),
            remove: options.remove,
            ended: None,
        };
        write(&self.directory, &record)
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
        self.lease.name_process(pid)
    }

    /// In the container's first process, which began as a copy of this one: its parent alone holds the lease.
    pub fn is_looked_after_by_the_parent(&self) {
        self.lease.close_copy();
    }

    /// Writes down how it ended.
    pub fn ended(self, ended: Ended) -> Result<()> {
        let path = record_path(&self.directory);
        // `tinbox rm --force` may have been quicker.
        if path.exists() {
            let mut record = Record::read(&self.directory)?;
            record.ended = Some(ended);
            write(&self.directory, &record)?;
        }
        self.lease.end()
    }

    /// Removes all of it.
    pub fn remove(self) -> Result<()> {
        lent_ids::remove_tree(&self.directory)?;
        names::release(&self.name, &self.id)?;
        self.lease.end()
    }
}

fn new_id() -> Result<String> {
    let mut bytes = [0_u8; 32];
    // SAFETY: the kernel writes at most as many bytes as are there; so few it gives at once, or none.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    ensure!(got == bytes.len() as isize, "getrandom: {}", std::io::Error::last_os_error());
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A power cut ends a container. What is removed then needs no record; what is kept is found by it.
fn write(directory: &Path, record: &Record) -> Result<()> {
    write_record(&record_path(directory), record, !record.remove)
}

/// Where the record of the container in `directory` is.
pub fn record_path(directory: &Path) -> PathBuf {
    directory.join("container.json")
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
