//! `tinbox pause` and `tinbox unpause`: stop all processes of a container where they are, and let them go on.

use std::process::ExitCode;

use anyhow::{Context, Result};
use cgroups::Group;
use clap::{Arg, ArgMatches, Command};

use crate::Stages;
use crate::container;
use crate::say::{print, say};
use crate::state::State;

/// Arguments of `pause`, as `docker pause` has them.
pub fn command() -> Command {
    Command::new("pause").arg(containers()).after_help("Examples:\n  tinbox pause web\n  tinbox unpause web")
}

/// Arguments of `unpause`.
pub fn unpause_command() -> Command {
    Command::new("unpause").arg(containers())
}

fn containers() -> Arg {
    Arg::new("container")
        .value_name("CONTAINER")
        .help("Name, id, or the beginning of an id")
        .num_args(1..)
        .required(true)
}

/// Pauses.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    each(matches, |group| group.freeze())
}

/// Lets them go on.
pub fn run_unpause(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    each(matches, |group| group.thaw())
}

/// One that cannot be paused does not keep the others.
fn each(matches: &ArgMatches, work: fn(&Group) -> Result<()>) -> Result<ExitCode> {
    let state = State::open()?;
    let mut status = ExitCode::SUCCESS;
    for wanted in matches.get_many::<String>("container").into_iter().flatten() {
        match group(&state, wanted).and_then(|group| work(&group)) {
            Ok(()) => print(wanted)?,
            Err(error) => {
                say!("tinbox: {error:#}");
                status = ExitCode::FAILURE;
            }
        }
    }
    Ok(status)
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
