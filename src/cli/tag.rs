//! `tinbox tag`: gives an image one more name.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Arg, ArgMatches, Command};
use images::{Name, Store};

use crate::Stages;
use crate::state::State;

/// Arguments, as `docker tag` has them.
pub fn command() -> Command {
    Command::new("tag")
        .args([
            Arg::new("source").value_name("SOURCE_IMAGE").help("Name, id, or the beginning of an id").required(true),
            Arg::new("target").value_name("TARGET_IMAGE[:TAG]").help("The new name").required(true),
        ])
        .after_help(
            "A name that another image had is taken from it. An image whose last name is taken from it is still there, \
             without one: `tinbox images --filter dangling=true` lists such.\n\nExamples:\n  \
             tinbox tag base me/base:1              a name of your own\n  \
             tinbox tag 4f1c localhost:5000/app     by id, with the registry that `tinbox push` is to send it to",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let text = |name: &str| matches.get_one::<String>(name).context("an argument is missing");
    let store = Store::open(&State::open()?.images());
    let target = Name::parse(text("target")?)?;
    ensure!(target.digest().is_none(), "refusing to create a tag with a digest reference");
    store.tag(&store.look_up(text("source")?)?, &target)?;
    Ok(ExitCode::SUCCESS)
}
