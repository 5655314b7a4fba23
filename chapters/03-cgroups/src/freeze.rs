//! Holding all processes of a container still, and ending them all.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use look::kernel;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Group;

/// How long the kernel may take to bring every process to a halt. One that waits for a dead disk never comes.
const PATIENCE: Duration = Duration::from_secs(10);

impl Group {
    /// Holds all processes still, and comes back when they are.
    pub fn freeze(&self) -> Result<()> {
        self.set_frozen(true)
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<()> {
        self.set_frozen(false)
    }

    /// Whether somebody holds them still.
    pub fn is_frozen(&self) -> bool {
        let says = |dir: &Path, file: &str, wanted: &str| {
            std::fs::read_to_string(dir.join(file)).is_ok_and(|text| text.trim() == wanted)
        };
        match (&self.v2, self.tree("freezer")) {
            (Some(v2), _) => says(&v2.path, "cgroup.freeze", "1"),
            (None, Some(freezer)) => says(freezer, "freezer.state", "FROZEN"),
            (None, None) => false,
        }
    }

    fn set_frozen(&self, frozen: bool) -> Result<()> {
        let why = if frozen { "every process in it stops where it is" } else { "and they go on" };
        if let Some(v2) = &self.v2 {
            kernel::write_cgroup(&v2.path, "cgroup.freeze", if frozen { "1" } else { "0" }, why)?;
            let wanted = if frozen { "frozen 1" } else { "frozen 0" };
            if !wait_for_event(&v2.path, wanted, PATIENCE)? {
                bail!("freeze {}: not all processes have stopped after {} s", v2.path.display(), PATIENCE.as_secs());
            }
            return Ok(());
        }
        let freezer =
            self.tree("freezer").context("this machine has no freezer for processes: neither cgroup v2 nor v1's")?;
        let wanted = if frozen { "FROZEN" } else { "THAWED" };
        kernel::write_cgroup(freezer, "freezer.state", wanted, why)?;
        wait_for_state(freezer, wanted)
    }

    /// Kills every process of the container, wherever in it. They may take a moment to be gone: [`Group::remove`]
    /// waits for that.
    pub fn kill(&self) -> Result<()> {
        let why = "end every process in it";
        let Some(v2) = self.v2.as_ref().filter(|v2| v2.path.join("cgroup.kill").exists()) else {
            self.kill_by_pid();
            // A frozen process of v1 dies only when it is let go.
            return if self.tree("freezer").is_some() { self.thaw() } else { Ok(()) };
        };
        Ok(kernel::write_cgroup(&v2.path, "cgroup.kill", "1", why)?)
    }

    /// The way before Linux 5.14. Whoever is killed can no longer fork, so there is an end to it.
    fn kill_by_pid(&self) {
        let dirs = self.v2.iter().map(|v2| v2.path.as_path()).chain(self.v1.iter().map(|tree| tree.path.as_path()));
        for dir in dirs {
            let mut before = Vec::new();
            loop {
                let now = processes(dir);
                let fresh: Vec<Pid> = now.iter().copied().filter(|pid| !before.contains(pid)).collect();
                if fresh.is_empty() {
                    break;
                }
                for pid in fresh {
                    let _ = kill(pid, Signal::SIGKILL);
                }
                before = now;
            }
        }
    }
}

/// The processes in a cgroup and in those below it.
pub(crate) fn processes(dir: &Path) -> Vec<Pid> {
    let text = std::fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
    // A process of another PID namespace is listed as 0.
    let own = text.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid > 0).map(Pid::from_raw);
    let below = children(dir).into_iter().flat_map(|child| processes(&child));
    own.chain(below).collect()
}

/// The cgroups in a cgroup.
pub(crate) fn children(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

/// Waits until `cgroup.events` has this line. The kernel says when the file changes: as an exceptional condition.
/// The answer is whether it came in time.
pub(crate) fn wait_for_event(cgroup: &Path, line: &str, patience: Duration) -> Result<bool> {
    let path = cgroup.join("cgroup.events");
    let file = File::open(&path).with_context(|| format!("open {}", path.display()))?;
    let deadline = Instant::now() + patience;
    loop {
        let mut buffer = [0; 256];
        let length = file.read_at(&mut buffer, 0).with_context(|| format!("read {}", path.display()))?;
        if String::from_utf8_lossy(&buffer[..length]).lines().any(|found| found == line) {
            return Ok(true);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        // A signal that comes in between only makes it look once more.
        let _ = poll(&mut [PollFd::new(file.as_fd(), PollFlags::POLLPRI)], timeout);
    }
}

/// v1 has no such event, so here one has to ask again.
fn wait_for_state(freezer: &Path, wanted: &str) -> Result<()> {
    let path = freezer.join("freezer.state");
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let state = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        if state.trim() == wanted {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    bail!("{} is not {wanted} after {} s", path.display(), PATIENCE.as_secs())
}
