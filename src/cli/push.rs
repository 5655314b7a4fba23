//! `tinbox push`: sends an image to a registry.

use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::{Arg, ArgMatches, Command};
use images::{Name, Store};

use crate::Stages;
use crate::cli::options::{content_trust, flag, has_version, tls_argument, tls_verify};
use crate::cli::registry::image_name;
use crate::progress::ProgressTarget;
use crate::registry::{Access, push};
use crate::say::print;
use crate::state::State;

/// Arguments, as `docker push` has them.
pub fn command() -> Command {
    Command::new("push")
        .args([
            flag("all-tags", "Send all images of the repository that have a tag").short('a'),
            flag("quiet", "Only print the image's name").short('q'),
            tls_argument(),
            content_trust(),
            Arg::new("image").value_name("NAME[:TAG]").help("The image; its name says where to").required(true),
        ])
        .after_help(
            "What the registry has is not sent again.\n\n\
             Examples:\n  \
             tinbox tag app localhost:5000/app && tinbox push localhost:5000/app\n  \
             tinbox login ghcr.io && tinbox push ghcr.io/me/app:1.0",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let typed = matches.get_one::<String>("image").context("NAME is missing")?;
    let name = image_name(typed)?;
    ensure!(name.digest().is_none(), "cannot push a digest reference");
    let all = matches.get_flag("all-tags");
    if all && has_version(typed) {
        bail!("tag can't be used with --all-tags/-a");
    }
    let quiet = matches.get_flag("quiet");
    let target = if quiet { ProgressTarget::Nothing } else { ProgressTarget::Stdout };
    let store = Store::open(&State::open()?.images());
    let names = if all { tagged(&store, &name)? } else { vec![name.clone()] };
    let access = Access::from_environment(tls_verify(matches))?;
    if !quiet && !all && !has_version(typed) {
        print("Using default tag: latest")?;
    }
    // Nothing of it may be cleared away in the meantime.
    let _hold = store.hold()?;
    for name in &names {
        let image = store.find(name)?;
        let image = image.with_context(|| format!("An image does not exist locally with the tag: {name}"))?;
        push(&store, &image, name, &access, target)?;
    }
    if quiet {
        print(&if all { format!("{}/{}", name.registry(), name.path()) } else { name.full() })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// All names of the repository of `name` that there are.
fn tagged(store: &Store, name: &Name) -> Result<Vec<Name>> {
    let same = |other: &Name| (other.registry(), other.path()) == (name.registry(), name.path());
    let mut names: Vec<Name> = store.list()?.into_iter().flat_map(|image| image.names).filter(same).collect();
    names.sort();
    ensure!(!names.is_empty(), "An image does not exist locally with the tag: {}", name.repository());
    Ok(names)
}
