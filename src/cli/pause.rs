//! `tinbox pause` and `tinbox unpause`: stop all processes of a container where they are, and let them go on.

use std::process::ExitCode;

use anyhow::{Context, Result};
use cgroups::Group;
use clap::{ArgMatches, Command};

use crate::Stages;
use crate::cli::containers;
use crate::container;
use crate::state::State;

/// Arguments of `pause`, as `docker pause` has them.
pub fn command() -> Command {
    Command::new("pause").arg(containers::several()).after_help("Examples:\n  tinbox pause web\n  tinbox unpause web")
}

/// Arguments of `unpause`.
pub fn unpause_command() -> Command {
    Command::new("unpause").arg(containers::several()).after_help("Example:\n  tinbox unpause web")
}

/// Pauses.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    each(matches, |group| group.freeze())
}

/// Lets them go on.
pub fn run_unpause(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    each(matches, |group| group.thaw())
}

fn each(matches: &ArgMatches, work: fn(&Group) -> Result<()>) -> Result<ExitCode> {
    containers::each(matches, |state, wanted| work(&group(state, wanted)?), |_| false)
}

fn group(state: &State, wanted: &str) -> Result<Group> {
    let (record, _) = container::find_running(state, wanted)?;
    Group::open(&record.id).with_context(|| {
        format!(
            "container {wanted} has no cgroup, and so cannot be paused\n  help: as an ordinary user, start it where a \
             cgroup is yours: systemd-run --user --scope -p Delegate=yes tinbox run …"
        )
    })
}
