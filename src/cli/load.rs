//! `tinbox load`: reads images from an archive.

use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Arg, ArgMatches, Command};
use images::Store;

use crate::Stages;
use crate::cli::options::flag;
use crate::image::archive::load;
use crate::image::incoming::Arrived;
use crate::lent_ids::as_root_of_lent_ids;
use crate::progress::ProgressTarget;
use crate::say::{print, say};
use crate::state::State;

/// Arguments, as `docker load` has them.
pub fn command() -> Command {
    Command::new("load")
        .args([
            Arg::new("input")
                .long("input")
                .short('i')
                .value_name("FILE")
                .help("Read from a file, not from standard input"),
            flag("quiet", "Do not show how far it is").short('q'),
        ])
        .after_help(
            "Reads what `tinbox save`, `docker save` and `podman save` write, and what skopeo calls docker-archive and \
             oci-archive; compressed as a whole with gzip, zstd or xz, or not.\n\nExamples:\n  \
             tinbox load -i images.tar\n  \
             curl -s http://laptop:8000/base.tar.gz | tinbox load\n  \
             docker save alpine | tinbox load",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, stages: &Stages) -> Result<ExitCode> {
    let input = matches.get_one::<String>("input");
    let store = Store::open(&State::open()?.images());
    let quiet = matches.get_flag("quiet") || !std::io::stdout().is_terminal();
    let progress = if quiet { ProgressTarget::Nothing } else { ProgressTarget::Stdout };
    as_root_of_lent_ids(&mut || {
        let file = open(input)?;
        let loaded = load(&store, file, stages.apply_layer, progress, |loaded| report(&loaded));
        loaded.with_context(|| format!("load {}", input.map_or("from standard input", String::as_str)))?;
        Ok(ExitCode::SUCCESS)
    })
}

fn open(input: Option<&String>) -> Result<File> {
    match input {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("open {path}"))?;
            ensure!(!file.metadata()?.is_dir(), "{path} is a directory, and an archive is wanted");
            Ok(file)
        }
        None => {
            let stdin = std::io::stdin();
            ensure!(!stdin.is_terminal(), "requested load from stdin, but stdin is empty: use the -i flag or redirect");
            Ok(stdin.as_fd().try_clone_to_owned().context("dup standard input")?.into())
        }
    }
}

/// In Docker's words.
fn report(loaded: &Arrived) -> Result<()> {
    for (name, id) in &loaded.taken {
        print(&format!("The image {name} already exists, renaming the old one with ID {id} to empty string"))?;
    }
    for name in &loaded.names {
        print(&format!("Loaded image: {name}"))?;
    }
    if loaded.names.is_empty() {
        print(&format!("Loaded image ID: {}", loaded.image.id))?;
    }
    loaded.warnings.iter().for_each(|warning| say!("tinbox: warning: {warning}"));
    Ok(())
}
