//! Chapter 2: answers that make processes, and one that collects them.

use std::os::fd::{AsFd, OwnedFd};

use look::Result;
use look::kernel::{self, CloneFlags, Cloned};
use namespaces::Process;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::{Stage, apart, end_likewise};
use crate::Child;
use crate::protocol::{Call, Outcome, Report, STATUS, Said};
use crate::try_it::try_it;

/// The namespaces that a process is asked for: not those that everybody writes first, so that an answer which does
/// not look at what it is asked for is seen.
pub(super) const ASKED_FOR: CloneFlags =
    CloneFlags::CLONE_NEWUTS.union(CloneFlags::CLONE_NEWIPC).union(CloneFlags::CLONE_NEWPID);

/// 2.1
pub(super) fn spawn(
    stage: &Stage<'_>,
    spawn: fn(CloneFlags, Option<std::os::fd::BorrowedFd<'_>>, Child<'_>) -> Result<Process>,
) {
    stage.ready();
    watched(stage, |child| spawn(ASKED_FOR, None, child));
    let Ok(directory) = std::fs::File::open("/") else { return };
    let without_cgroup = || {
        // No cgroup at all, so the process cannot be born in it.
        let process = spawn(CloneFlags::empty(), Some(directory.as_fd()), &mut || 0)?;
        process.reap().map(|status| Said::Status(Some(status)))
    };
    stage.report(Call::NoCgroup, try_it(without_cgroup));
}

/// 2.2
pub(super) fn enter(stage: &Stage<'_>, enter: fn(Pid, Child<'_>) -> Result<Process>, other: Pid, owner: Pid) {
    stage.ready();
    // In a process of its own, because whoever enters is somewhere else afterwards.
    let ended = apart(|| {
        let theirs = user_namespace(owner);
        let entered = || {
            let process = enter(owner, &mut || u8::from(theirs.is_none() || user_namespace(Pid::this()) != theirs))?;
            process.reap().map(|status| Said::Status(Some(status)))
        };
        stage.report(Call::OwnUser, try_it(entered));
    });
    if let Some(ended) = ended {
        end_likewise(ended);
    }
    watched(stage, |child| enter(other, child));
}

fn user_namespace(pid: Pid) -> Option<u64> {
    look::namespaces_of(pid).ok()?.get(&look::Kind::User).copied()
}

/// Calls an answer that makes a process, whose end is waited for when the grader has seen both.
fn watched(stage: &Stage<'_>, make: impl FnOnce(Child<'_>) -> Result<Process>) {
    let mut child = || {
        let _ = stage.channel.send(&Report::Called { call: Call::InTheChild, outcome: Outcome::Done(Said::Nothing) });
        stage.hold.still_in_child();
        STATUS
    };
    let mut made = None;
    let outcome = try_it(|| {
        let process = make(&mut child)?;
        let pid = process.pid().as_raw();
        made = Some(process);
        Ok(Said::Process(pid))
    });
    stage.report(Call::TheFunction, outcome);
    let Some(process) = made else { return };
    stage.report(Call::WaitForTheChild, try_it(|| process.reap().map(|status| Said::Status(Some(status)))));
}

/// 2.3
pub(super) fn reap(stage: &Stage<'_>, reap: fn(Pid) -> Result<Option<u8>>) {
    if let Err(error) = collected(stage, reap) {
        let _ = stage.channel.send(&Report::Blocked { error: error.to_string() });
    }
}

fn collected(stage: &Stage<'_>, reap: fn(Pid) -> Result<Option<u8>>) -> std::io::Result<()> {
    let ask = |call, main: &Ward| stage.report(call, try_it(|| reap(main.pid).map(Said::Status)));
    stage.ready();
    // The kernel hands out the ended in the order in which they were born: the main process first, where it can.
    let (main, lasting) = (Ward::new()?, Ward::new()?);
    Ward::new()?.ends_with(0)?;
    Ward::new()?.ends_with(5)?;
    ask(Call::MainRuns, &main);
    main.ends_with(3)?;
    Ward::new()?.ends_with(5)?;
    ask(Call::MainEnded, &main);
    let main = Ward::new()?;
    main.is_killed()?;
    ask(Call::MainKilled, &main);
    lasting.ends_with(0)?;
    waitpid(lasting.pid, None)?;
    ask(Call::NobodyLeft, &main);
    Ok(())
}

/// A child that ends when it is told to.
struct Ward {
    pid: Pid,
    pidfd: OwnedFd,
    order: OwnedFd,
}

impl Ward {
    fn new() -> std::io::Result<Ward> {
        let (orders, order) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
        let cloned = kernel::clone3(CloneFlags::empty(), None, "somebody to be collected");
        match cloned.map_err(std::io::Error::other)? {
            Cloned::Parent { pid, pidfd } => Ok(Ward { pid, pidfd, order }),
            Cloned::Child => {
                drop(order);
                let mut status = [0];
                let _ = nix::unistd::read(&orders, &mut status);
                std::process::exit(status[0].into())
            }
        }
    }

    /// Lets it end, and comes back when it has; it is not collected.
    fn ends_with(&self, status: u8) -> std::io::Result<()> {
        nix::unistd::write(&self.order, &[status])?;
        self.has_ended()
    }

    fn is_killed(&self) -> std::io::Result<()> {
        kill(self.pid, Signal::SIGKILL)?;
        self.has_ended()
    }

    /// Not with one of the wait calls: the grader takes a process that sits in one for an answer that waits.
    fn has_ended(&self) -> std::io::Result<()> {
        poll(&mut [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)?;
        Ok(())
    }
}
