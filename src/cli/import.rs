//! `tinbox import`: makes an image from a tar of a root file system.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Arg, ArgAction, ArgMatches, Command};
use images::oci::Config;
use images::{Name, Store};

use crate::Stages;
use crate::cli::options::{tls_argument, tls_verify};
use crate::image::import::{ImportOptions, import};
use crate::image::instructions;
use crate::image::platform;
use crate::lent_ids::as_root_of_lent_ids;
use crate::registry::{Access, download};
use crate::say::{print, say};
use crate::state::State;

/// Arguments, as `docker import` has them.
pub fn command() -> Command {
    Command::new("import")
        .args([
            Arg::new("change")
                .long("change")
                .short('c')
                .value_name("INSTRUCTION")
                .help("Apply an instruction of a Dockerfile, such as `CMD sh` (several times)")
                .action(ArgAction::Append),
            Arg::new("message")
                .long("message")
                .short('m')
                .value_name("TEXT")
                .help("What to say about it in its history"),
            Arg::new("platform")
                .long("platform")
                .value_name("OS/ARCHITECTURE[/VARIANT]")
                .help("For which machine it is"),
            tls_argument(),
            Arg::new("file")
                .value_name("FILE|URL|-")
                .help("The tar, plain or compressed with gzip, zstd or xz; - for standard input")
                .required(true),
            Arg::new("name").value_name("REPOSITORY[:TAG]").help("What to call the image"),
        ])
        .after_help(
            "Prints the id of the image. It has no command unless -c gives it one.\n\nExamples:\n  \
             debootstrap --variant=minbase stable root && tar -C root -c . | tinbox import - debian\n  \
             tinbox import -c 'CMD sh' -c 'ENV LANG=C.UTF-8' alpine-minirootfs.tar.gz alpine:latest\n  \
             tinbox import root.tar.xz other",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, stages: &Stages) -> Result<ExitCode> {
    let given = |name| matches.get_one::<String>(name);
    let source = given("file").context("FILE is missing")?;
    let mut config = Config::default();
    instructions::apply_all(&mut config, matches.get_many("change").into_iter().flatten())?;
    let from = if is_url(source) { source } else { "-" };
    let wish = ImportOptions {
        name: given("name").map(|name| Name::parse(name)).transpose()?,
        config,
        comment: given("message").cloned().unwrap_or_else(|| format!("Imported from {from}")),
        platform: given("platform").map(|text| platform::parse(text)).transpose()?,
    };
    ensure!(wish.name.as_ref().is_none_or(|name| name.digest().is_none()), "cannot import digest reference");
    let store = Store::open(&State::open()?.images());
    as_root_of_lent_ids(&mut || {
        let mut archive = open(source, tls_verify(matches))?;
        let imported = import(&store, &mut archive, &wish, stages.apply_layer);
        let (image, skipped) = imported.with_context(|| format!("import {source}"))?;
        skipped.warnings().iter().for_each(|warning| say!("tinbox: warning: {warning}"));
        print(&image.id.to_string())?;
        Ok(ExitCode::SUCCESS)
    })
}

fn open(source: &str, tls_verify: bool) -> Result<Box<dyn Read + Send>> {
    if source == "-" {
        ensure!(!std::io::stdin().is_terminal(), "import -: standard input is a terminal: pipe a tar into it");
        return Ok(Box::new(std::io::stdin()));
    }
    if is_url(source) {
        let access = Access::from_environment(tls_verify)?;
        return Ok(Box::new(download(&access, source).with_context(|| format!("download {source}"))?));
    }
    let file = File::open(source).with_context(|| format!("open {source}"))?;
    ensure!(!file.metadata()?.is_dir(), "{source} is a directory, and an archive is wanted");
    Ok(Box::new(file))
}

fn is_url(source: &str) -> bool {
    source.starts_with("http://") || source.starts_with("https://")
}
