//! `tinbox rm`: removes containers.

use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Command};

use crate::Stages;
use crate::cli::containers;
use crate::cli::options::flag;
use crate::container::{self, NoSuch};
use crate::state::State;

/// Arguments, as `docker rm` has them.
pub fn command() -> Command {
    Command::new("rm")
        .args([flag("force", "Kill those that run").short('f'), containers::several()])
        .after_help("Examples:\n  tinbox rm web\n  tinbox rm -f 4f1 web")
}

/// Does it. With --force it is enough that there is none of that name.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let force = matches.get_flag("force");
    let remove = |state: &State, wanted: &str| container::remove(state, wanted, force);
    containers::each(matches, remove, |error| force && error.is::<NoSuch>())
}
