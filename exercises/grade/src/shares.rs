//! Chapter 3: what an answer says about limits, and what a cgroup is like that it made.

use std::path::{Path, PathBuf};
use std::time::Duration;

use look::cgroups::directories_of;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::unistd::{AccessFlags, Pid, access};
use subject::protocol::{Call, Order, Outcome, Report, Said};
use subject::scene::shares::{LIMITS, asked};

use crate::facts::Facts;
use crate::session::Session;
use crate::{Seen, Stop, returned};

/// The words for a cgroup without processes.
pub(crate) const NOBODY: &str = "nobody";
/// The words for a caller that has not moved.
pub(crate) const STAYED: &str = "where it was";

/// 3.1
pub(crate) fn settings(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    session.order(Order::Begin)?;
    let (_, outcome) = session.called(Call::TheFunction)?;
    let (_, error) = returned(&outcome)?;
    let mut facts = Facts::default();
    if let Outcome::Done(Said::Lines(said)) = outcome {
        for ((options, _), said) in asked().iter().zip(said) {
            facts.say(options, said);
        }
    }
    Ok(Seen { facts, error })
}

/// 3.2
pub(crate) fn confine(session: &mut Session) -> Result<Seen, Stop> {
    let place = session.share()?.to_owned();
    let init = session.wait(|from, report| matches!(report, Report::Host).then_some(from))?;
    session.order(Order::Begin)?;
    let (caller, outcome) = session.called(Call::TheFunction)?;
    let (mut facts, error) = returned(&outcome)?;
    let container = place.join("container");
    facts.say("the cgroup", if container.is_dir() { "made" } else { "not made" });
    if container.is_dir() {
        facts.say("its limits", limits(&container));
        facts.say("who is in it", members(&container, caller, init));
    }
    if error.is_some() {
        return Ok(Seen { facts, error });
    }
    let before = v2_path(caller);
    session.order(Order::Continue)?;
    let (_, outcome) = session.called(Call::ImpossibleLimit)?;
    let said = if returned(&outcome)?.1.is_some() { "an error" } else { "ok" };
    facts.say("asked for a limit that does not exist", said);
    facts.say("the caller is then", if v2_path(caller) == before { STAYED } else { "in the new cgroup" });
    Ok(Seen { facts, error })
}

fn limits(cgroup: &Path) -> String {
    let value = |(file, _): (&str, &str)| {
        let text = std::fs::read_to_string(cgroup.join(file)).unwrap_or_default();
        format!("{} {}", file.trim_start_matches("cgroup."), text.trim())
    };
    LIMITS.map(value).join(", ")
}

fn members(cgroup: &Path, caller: Pid, init: Pid) -> String {
    let name = |number: &str| match number.parse() {
        Ok(pid) if caller == Pid::from_raw(pid) => "the caller".to_owned(),
        Ok(pid) if init == Pid::from_raw(pid) => "its parent".to_owned(),
        _ => format!("process {number}"),
    };
    let text = std::fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let names: Vec<String> = text.lines().map(name).collect();
    if names.is_empty() { NOBODY.into() } else { names.join(" and ") }
}

fn v2_path(pid: Pid) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

/// A cgroup of v2 below the one that the grader is in. It goes away with all that was made in it.
#[derive(Debug)]
pub(crate) struct Place(PathBuf);

impl Place {
    /// Makes it, with `token` in its name. The error says why this machine does not let us.
    pub(crate) fn new(token: &str) -> Result<Place, String> {
        let own = directories_of(Pid::this()).map_err(|error| error.to_string())?;
        let own = own.into_iter().find(|(hierarchy, _)| hierarchy == "v2").map(|(_, directory)| directory);
        let own = own.ok_or("no cgroup v2 hierarchy is mounted in which this process can be seen")?;
        let failed = |errno| format!("make a cgroup in {}: {}", own.display(), look::describe(errno));
        let dir = own.join(format!("tinbox-{token}"));
        nix::unistd::mkdir(&dir, Mode::S_IRWXU).map_err(failed)?;
        let place = Place(dir);
        // To move a process takes the right to change the cgroup that is above both its old and its new one.
        access(&own.join("cgroup.procs"), AccessFlags::W_OK).map_err(failed)?;
        Ok(place)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes a cgroup and those in it, when their processes have gone. What does not go is left for the audit to find.
fn remove(cgroup: &Path) {
    for entry in std::fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    while std::fs::remove_dir(cgroup).is_err() && wait_for_change(cgroup) {}
}

/// Waits until cgroup.events, which says whether there are processes, changes. `false` if there are none, or if
/// nothing changes for long.
fn wait_for_change(cgroup: &Path) -> bool {
    use std::io::Read;
    use std::os::fd::AsFd;
    const LONG: Duration = Duration::from_secs(5);
    let Ok(mut events) = std::fs::File::open(cgroup.join("cgroup.events")) else { return false };
    let mut text = String::new();
    if events.read_to_string(&mut text).is_err() || !text.contains("populated 1") {
        return false;
    }
    let mut waiting = [PollFd::new(events.as_fd(), PollFlags::POLLPRI)];
    poll(&mut waiting, PollTimeout::try_from(LONG).unwrap_or(PollTimeout::MAX)).is_ok_and(|changed| changed > 0)
}
