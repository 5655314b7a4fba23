//! Who looks after a container: a file for each container that runs, on which the process that looks after it holds
//! a lock. The kernel takes the lock away when that process ends, however it ends; so if you can take
//! the lock, nobody looks after the container any more. The file names the container's first process.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use namespaces::Process;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::unistd::Pid;

use crate::state::State;

/// A lease that this process holds.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    file: File,
}

impl Lease {
    /// Takes the lease on the new container `id`.
    pub fn take(state: &State, id: &str) -> Result<Lease> {
        let path = path(state, id);
        loop {
            let file = File::create_new(&path).with_context(|| format!("make {}", path.display()))?;
            file.lock().with_context(|| format!("lock {}", path.display()))?;
            // Between the two steps another process may have taken it for one that was left behind.
            if path.exists() {
                return Ok(Lease { path, file });
            }
        }
    }

    /// Takes a lease that nobody holds any more. `None` if somebody does.
    pub fn inherit(path: &Path) -> Option<Lease> {
        let file = File::open(path).ok()?;
        file.try_lock().ok()?;
        Some(Lease { path: path.to_owned(), file })
    }

    /// Writes down which process is the container's first.
    pub fn name_process(&self, pid: Pid) -> Result<()> {
        let line = format!("{pid} {}", start_time(pid).unwrap_or_default());
        (&self.file).write_all(line.as_bytes()).with_context(|| format!("write {}", self.path.display()))
    }

    /// In a child: closes its copy of the file. The lock is held as long as any copy is open, and a child that was killed may
    /// take a while to end. The child must leave by an exit, so that `self` is not dropped there.
    pub fn close_copy(&self) {
        // SAFETY: takes a descriptor, which as said above is not closed again.
        unsafe { libc::close(self.file.as_raw_fd()) };
    }

    /// Gives it up: the container has ended.
    pub fn end(self) -> Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("remove {}", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}

/// The file of the lease on the container `id`.
pub fn path(state: &State, id: &str) -> PathBuf {
    state.running().join(id)
}

/// Whether somebody holds it.
pub fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock_shared().is_err())
}

/// Waits until nobody holds it.
pub fn wait_until_free(path: &Path) -> Result<()> {
    match File::open(path) {
        Ok(file) => file.lock_shared().with_context(|| format!("wait for {}", path.display())),
        Err(_) => Ok(()),
    }
}

/// Kills the container's first process, if it is still the one that was written down, and waits for its end.
pub fn kill(path: &Path) {
    if let Some(process) = process(path) {
        process.end();
    }
}

/// The container's first process, if it is still the one that was written down.
pub fn process(path: &Path) -> Option<Process> {
    let text = std::fs::read_to_string(path).ok()?;
    let (pid, started) = text.split_once(' ')?;
    let pid = Pid::from_raw(pid.parse().ok()?);
    let process = Process::open(pid).ok()?;
    // The descriptor was opened first: if the start time matches now, it stands for the right process.
    (start_time(pid).as_deref() == Some(started)).then_some(process)
}

/// Like [`process`], but waits for a container that is only just being started. `None` once nobody looks after it.
pub fn wait_for_process(path: &Path) -> Result<Option<Process>> {
    let events = Inotify::init(InitFlags::IN_CLOEXEC).context("inotify_init")?;
    // Whoever looks after it writes the file, and closes it at the latest when it ends.
    let flags = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_DELETE_SELF;
    if events.add_watch(path, flags).is_err() {
        return Ok(None);
    }
    loop {
        if let Some(process) = process(path) {
            return Ok(Some(process));
        }
        if !is_held(path) {
            return Ok(None);
        }
        match events.read_events() {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno).with_context(|| format!("wait for {}", path.display())),
        }
    }
}

/// When a process started, in clock ticks since boot: field 22 of proc_pid_stat(5). With the process id this
/// names a process for good.
fn start_time(pid: Pid) -> Option<String> {
    // One line, and one read: the kernel makes it anew for each.
    let mut line = [0; 4096];
    let length = File::open(format!("/proc/{pid}/stat")).and_then(|mut stat| stat.read(&mut line)).ok()?;
    let after_name = std::str::from_utf8(&line[..length]).ok()?.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19).map(str::to_owned)
}
