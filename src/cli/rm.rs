//! `tinbox rm`: removes containers.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::Stages;
use crate::container::{self, NoSuch};
use crate::say::{print, say};
use crate::state::State;

/// Arguments, as `docker rm` has them.
pub fn command() -> Command {
    Command::new("rm")
        .args([
            Arg::new("force").long("force").short('f').help("Kill those that run").action(ArgAction::SetTrue),
            Arg::new("container")
                .value_name("CONTAINER")
                .help("Name, id, or the beginning of an id")
                .num_args(1..)
                .required(true),
        ])
        .after_help("Examples:\n  tinbox rm web\n  tinbox rm -f 4f1 web")
}

/// Does it. One that cannot be removed does not keep the others.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let state = State::open()?;
    let mut status = ExitCode::SUCCESS;
    for wanted in matches.get_many::<String>("container").into_iter().flatten() {
        match container::remove(&state, wanted, matches.get_flag("force")) {
            Ok(()) => print(wanted)?,
            Err(error) => {
                say!("tinbox: {error:#}");
                // With --force it is enough that there is none.
                if !(matches.get_flag("force") && error.is::<NoSuch>()) {
                    status = ExitCode::FAILURE;
                }
            }
        }
    }
    Ok(status)
}
