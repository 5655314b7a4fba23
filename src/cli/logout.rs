//! `tinbox logout`: forgets what `login` kept.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgMatches, Command};

use crate::Stages;
use crate::cli::registry;
use crate::registry::{Access, login};
use crate::say::print;

/// Arguments, as `docker logout` has them.
pub fn command() -> Command {
    Command::new("logout")
        .arg(Arg::new("server").value_name("SERVER").help("The registry [default: docker.io]"))
        .after_help("Examples:\n  tinbox logout\n  tinbox logout localhost:5000")
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let server = registry::registry(matches.get_one("server"));
    let shown = if server == registry::DEFAULT { "https://index.docker.io/v1/" } else { server };
    if login::forget(server, &Access::from_environment(true)?)? {
        print(&format!("Removing login credentials for {shown}"))?;
    } else {
        print(&format!("Not logged in to {shown}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
