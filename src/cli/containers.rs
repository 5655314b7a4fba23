//! What verbs have in common that do the same to several containers.

use std::process::ExitCode;

use anyhow::{Error, Result};
use clap::{Arg, ArgMatches};

use crate::say::{print, say};
use crate::state::State;

/// The argument that names one.
pub fn one() -> Arg {
    Arg::new("container").value_name("CONTAINER").help("Name, id, or the beginning of an id").required(true)
}

/// The argument that names several.
pub fn several() -> Arg {
    one().num_args(1..)
}

/// Does `work` to each, and prints its name. One for which it fails does not keep the others; the status tells of it,
/// unless the failure is `forgiven`.
pub fn each(
    matches: &ArgMatches,
    work: impl Fn(&State, &str) -> Result<()>,
    forgiven: impl Fn(&Error) -> bool,
) -> Result<ExitCode> {
    let state = State::open()?;
    let mut status = ExitCode::SUCCESS;
    for wanted in matches.get_many::<String>("container").into_iter().flatten() {
        match work(&state, wanted) {
            Ok(()) => print(wanted)?,
            Err(error) => {
                say!("tinbox: {error:#}");
                if !forgiven(&error) {
                    status = ExitCode::FAILURE;
                }
            }
        }
    }
    Ok(status)
}
