//! `tinbox export`: writes a container's root to an archive.

use std::io::{BufWriter, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Arg, ArgMatches, Command};
use images::Store;

use crate::Stages;
use crate::cli::containers;
use crate::container;
use crate::image::archive::Output;
use crate::image::export::export;
use crate::lent_ids::as_a_containers_root;
use crate::say::end_if_nobody_reads;
use crate::state::State;

/// Arguments, as `docker export` has them.
pub fn command() -> Command {
    Command::new("export")
        .args([
            Arg::new("output").long("output").short('o').value_name("FILE").help("Write to a file, not to standard output"),
            containers::one(),
        ])
        .after_help(
            "The archive has the container's files as they are now, without its layers, its config and what is mounted in \
             it. `tinbox import` makes an image of it again; `tinbox commit` keeps layers and config.\n\nExamples:\n  \
             tinbox export -o web.tar web\n  \
             tinbox export web | tar -x -C web --numeric-owner",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let output = matches.get_one::<String>("output");
    ensure!(
        output.is_some() || !std::io::stdout().is_terminal(),
        "cowardly refusing to save to a terminal. Use the -o flag or redirect"
    );
    let state = State::open()?;
    let wanted = matches.get_one::<String>("container").context("CONTAINER is missing")?;
    let (record, _) = container::find(&state, wanted)?;
    let store = Store::open(&state.images());
    let layers = store.trees(&store.look_up(&record.image_id.to_string()).context("the image of the container")?);
    // The caller's file, and not made by root of a namespace that may do more than the caller.
    let mut file = output.map(|path| Output::begin(Path::new(path))).transpose()?;
    let exported = as_a_containers_root(&mut || {
        let directory = state.containers().join(&record.id);
        let write = |out: &mut dyn std::io::Write| export(&directory, layers.clone(), &state.mount_point(), out);
        match &mut file {
            Some(file) => write(&mut BufWriter::with_capacity(1 << 18, file))?,
            None => {
                write(&mut BufWriter::with_capacity(1 << 18, std::io::stdout().lock())).or_else(end_if_nobody_reads)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })?;
    match file.filter(|_| exported == ExitCode::SUCCESS) {
        Some(file) => file.finish().map(|()| exported),
        None => Ok(exported),
    }
}
