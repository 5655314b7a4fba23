//! The end of a cgroup. The kernel takes a directory away only when nobody is in it, alive: what has ended but was
//! not collected does not count.

use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use look::kernel;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

use crate::Group;
use crate::freeze::{children, processes, wait_for_event};
use crate::home::{LEAF, PARENT};
use crate::places::{Layout, tops};

/// How long processes that were killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(5);

impl Group {
    /// Takes all cgroups of the container away. Waits for processes that are about to end; fails with `EBUSY` if some
    /// do not. What is gone already is no error.
    pub fn remove(&self) -> Result<()> {
        let v2 = self.v2.as_ref().map_or(Ok(()), |v2| remove(&v2.path));
        let v1: Vec<_> = self.v1.iter().map(|tree| remove(&tree.path)).collect();
        Ok(v1.into_iter().fold(v2, look::Result::and)?)
    }
}

/// Ends whatever is left in the cgroups of container `id`, and takes them away. For one whose runtime was killed:
/// the id is all that is needed. Nothing there is no error.
pub fn remove_leftover(id: &str) -> Result<()> {
    match Group::open(id) {
        Some(group) => group.kill().and_then(|()| group.remove()),
        None => Ok(()),
    }
}

/// Takes away what no container needs any more: the cgroups that all of them were in, if they are empty.
pub fn tidy() {
    let Ok(layout) = Layout::find() else { return };
    let trees = layout.v1.iter().map(|tree| tree.mount.clone());
    for top in tops(&layout).into_iter().chain(trees) {
        for empty in [PARENT, LEAF].map(|name| top.join(name)) {
            // Not told, and not an error: somebody may be in it.
            let _ = std::fs::remove_dir(empty);
        }
    }
}

/// Takes away a cgroup and those that were made in it.
fn remove(cgroup: &Path) -> look::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match kernel::remove_cgroup(cgroup, "its processes are gone, and so is what was counted") {
            Err(error) if error.errno() == Some(Errno::ENOENT) => return Ok(()),
            Err(error) if error.errno() == Some(Errno::EBUSY) && Instant::now() < deadline => {
                wait_until_empty(cgroup, deadline);
                children(cgroup).iter().try_for_each(|child| remove(child))?;
            }
            outcome => return outcome,
        }
    }
}

fn wait_until_empty(cgroup: &Path, deadline: Instant) {
    let left = deadline.saturating_duration_since(Instant::now());
    // v1 says nothing when a cgroup becomes empty, but each process does when it ends.
    if wait_for_event(cgroup, "populated 0", left).is_err() {
        for process in processes(cgroup).into_iter().filter_map(open) {
            let left = PollTimeout::try_from(deadline.saturating_duration_since(Instant::now()));
            let _ = poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], left.unwrap_or(PollTimeout::MAX));
        }
    }
}

/// `pidfd_open(2)`.
fn open(pid: Pid) -> Option<OwnedFd> {
    // SAFETY: takes two integers.
    let answer = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    // SAFETY: the kernel made a new descriptor that nobody else owns.
    Errno::result(answer).ok().map(|fd| unsafe { OwnedFd::from_raw_fd(fd as i32) })
}
