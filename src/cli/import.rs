//! `tinbox import`: makes an image from a tar of a root file system.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Arg, ArgMatches, Command};
use images::{Name, Store};

use crate::Stages;
use crate::image;
use crate::say::{print, say};
use crate::state::State;

/// Arguments, as `docker import` has them.
pub fn command() -> Command {
    Command::new("import")
        .args([
            Arg::new("file").value_name("FILE").help("The tar, plain or gzip; - for standard input").required(true),
            Arg::new("name").value_name("REPOSITORY[:TAG]").help("What to call the image"),
        ])
        .after_help(
            "Prints the id of the image. Images are kept in /var/lib/tinbox/images, or for an ordinary user in \
             ~/.local/share/tinbox/images; to remove one, delete its link in names/ and its directory.\n\nExamples:\n  \
             debootstrap --variant=minbase stable root && tar -C root -c . | tinbox import - debian\n  \
             tinbox import alpine-minirootfs.tar.gz alpine:latest\n  \
             xz -dc root.tar.xz | tinbox import - other",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, stages: &Stages) -> Result<ExitCode> {
    let name = matches.get_one::<String>("name").map(|name| Name::parse(name)).transpose()?;
    let file = matches.get_one::<String>("file").context("FILE is missing")?;
    let mut reader: Box<dyn Read + Send> = match file.as_str() {
        "-" => {
            ensure!(!std::io::stdin().is_terminal(), "import -: standard input is a terminal: pipe a tar into it");
            Box::new(std::io::stdin())
        }
        path => Box::new(File::open(path).with_context(|| format!("open {path}"))?),
    };
    let store = Store::open(&State::open()?.images());
    let imported = image::import::import(&store, &mut reader, name.as_ref(), stages.apply_layer);
    let (imported, left_out) = imported.with_context(|| format!("import {file}"))?;
    for warning in left_out.warnings() {
        say!("tinbox: warning: {warning}");
    }
    print(&imported.id.to_string())?;
    Ok(ExitCode::SUCCESS)
}
