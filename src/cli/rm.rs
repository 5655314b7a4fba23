//! `tinbox rm`: removes containers.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::Stages;
use crate::cli::containers;
use crate::container::{self, NoSuch};
use crate::state::State;

/// Arguments, as `docker rm` has them.
pub fn command() -> Command {
    Command::new("rm")
        .args([
            Arg::new("force").long("force").short('f').help("Kill those that run").action(ArgAction::SetTrue),
            containers::argument(),
        ])
        .after_help("Examples:\n  tinbox rm web\n  tinbox rm -f 4f1 web")
}

/// Does it. With --force it is enough that there is none of that name.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let force = matches.get_flag("force");
    let remove = |state: &State, wanted: &str| container::remove(state, wanted, force);
    containers::each(matches, remove, |error| force && error.is::<NoSuch>())
}
