//! `tinbox pull`: gets an image from a registry.

use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::{Arg, ArgMatches, Command};
use images::{Name, Store};

use crate::Stages;
use crate::cli::options::{content_trust, flag, has_version, tls_argument, tls_verify};
use crate::cli::registry::image_name;
use crate::image::platform;
use crate::lent_ids::as_root_of_lent_ids;
use crate::progress::ProgressTarget;
use crate::registry::{Access, PullOptions, pull, tags};
use crate::say::{print, say};
use crate::state::State;

/// Arguments, as `docker pull` has them.
pub fn command() -> Command {
    Command::new("pull")
        .args([
            flag("all-tags", "Get all images of the repository that have a tag").short('a'),
            flag("quiet", "Only print the image's name").short('q'),
            Arg::new("platform")
                .long("platform")
                .value_name("OS/ARCHITECTURE[/VARIANT]")
                .help("For another machine than this one"),
            tls_argument(),
            content_trust(),
            Arg::new("image").value_name("NAME[:TAG|@DIGEST]").help("The image").required(true),
        ])
        .after_help(
            "Names without a registry mean Docker Hub. Layers that are there already are not fetched again.\n\n\
             Examples:\n  \
             tinbox pull alpine\n  \
             tinbox pull --platform linux/arm64 debian:stable\n  \
             tinbox pull localhost:5000/app@sha256:…",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, stages: &Stages) -> Result<ExitCode> {
    let typed = matches.get_one::<String>("image").context("NAME is missing")?;
    let name = image_name(typed)?;
    ensure!(
        name != Name::base(),
        "base is Tinbox's own image: it is made here, not pulled\n  help: tinbox run -it base"
    );
    let all = matches.get_flag("all-tags");
    if all && has_version(typed) {
        bail!("tag can't be used with --all-tags/-a");
    }
    let quiet = matches.get_flag("quiet");
    let platform = platform::given(matches.get_one("platform"))?;
    let wish = PullOptions { platform, progress: if quiet { ProgressTarget::Nothing } else { ProgressTarget::Stdout } };
    let mut access = Access::from_environment(tls_verify(matches))?;
    access.ask_helper(name.registry());
    let store = Store::open(&State::open()?.images());
    as_root_of_lent_ids(&mut || {
        if !quiet && !all && !has_version(typed) {
            print("Using default tag: latest")?;
        }
        let names = match all {
            true => tags(&name, &access)?.iter().filter_map(|tag| tagged(&name, tag)).collect(),
            false => vec![name.clone()],
        };
        for name in &names {
            let pulled = pull(&store, name, &wish, &access, stages.apply_layer)?;
            pulled.warnings.iter().for_each(|warning| say!("tinbox: warning: {warning}"));
        }
        print(&if all { format!("{}/{}", name.registry(), name.path()) } else { name.full() })?;
        Ok(ExitCode::SUCCESS)
    })
}

/// `name` with a tag of which the registry says that it is there. What cannot be a tag does not keep the others.
fn tagged(name: &Name, tag: &str) -> Option<Name> {
    let tagged = name.with_tag(tag);
    tagged.inspect_err(|_| say!("tinbox: warning: the tag \"{}\" is left out: it is none", tag.escape_debug())).ok()
}
