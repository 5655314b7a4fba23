//! Which image a container is to be of, and what is done if it is not here.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::builder::PossibleValue;
use clap::{Arg, ArgMatches};
use images::oci::Platform;
use images::{Image, Name, Store};

use crate::Stages;
use crate::cli::dispatch::Said;
use crate::cli::options::{content_trust, flag, text, tls_argument, tls_verify, value};
use crate::image::{base, platform};
use crate::lent_ids;
use crate::progress::ProgressTarget;
use crate::registry::{self, Access, PullOptions};
use crate::say::say;

/// The options that are about the image.
pub fn arguments() -> [Arg; 5] {
    [
        value("pull", "WHEN", "Whether to get the image from its registry: always, missing or never")
            .value_parser([
                PossibleValue::new("always"),
                PossibleValue::new("missing"),
                PossibleValue::new("never"),
                // As in docker: not given.
                PossibleValue::new("").hide(true),
            ])
            .default_value("missing"),
        value("platform", "OS/ARCH", "For which machine to get it [default: this one]"),
        flag("quiet", "Do not tell how far it is").short('q'),
        tls_argument(),
        content_trust(),
    ]
}

/// The image that is wanted: a name, or an id. The embedded one is made if it is not there yet, and any other with a
/// name is pulled.
pub fn find(store: &Store, wanted: &str, matches: &ArgMatches, stages: &Stages) -> Result<Image> {
    let always = text(matches, "pull") == Some("always");
    let name = match Name::parse(wanted) {
        Ok(name) => name,
        Err(error) => return store.look_up(wanted).map_err(|_| error),
    };
    let embedded = name == Name::base();
    let platform = platform(matches)?;
    if !always || embedded {
        let here = store.find(&name)?.or_else(|| store.look_up(wanted).ok());
        if let Some(image) = here.filter(|image| is_for(image, platform.as_ref())) {
            return Ok(image);
        }
    }
    if embedded {
        let (image, missing) = base::find_or_make(store, stages.apply_layer)?;
        missing.iter().for_each(|sentence| say!("tinbox: warning: {sentence}"));
        return Ok(image);
    }
    if !always {
        say!("Unable to find image '{name}' locally");
    }
    if text(matches, "pull") == Some("never") {
        bail!("No such image: {name}, and --pull never forbids to get it");
    }
    pull(store, &name, platform.as_ref(), matches, stages)?;
    store.find(&name)?.with_context(|| format!("No such image: {name}, though it was just pulled"))
}

/// The machine that is asked for.
fn platform(matches: &ArgMatches) -> Result<Option<Platform>> {
    platform::given(matches.get_one("platform")).context("--platform")
}

/// Whether `image` is for the machine that is `wanted`. If none is, then any will do, and one that is not for this machine
/// is said to be.
fn is_for(image: &Image, wanted: Option<&Platform>) -> bool {
    let offered = image.config.platform();
    if offered.architecture.is_empty() {
        return true;
    }
    match wanted {
        Some(wanted) => platform::fits(wanted, &offered),
        None => {
            platform::warning(&offered).iter().for_each(|warning| say!("tinbox: warning: {warning}"));
            true
        }
    }
}

fn pull(store: &Store, name: &Name, platform: Option<&Platform>, matches: &ArgMatches, stages: &Stages) -> Result<()> {
    let mut access = Access::from_environment(tls_verify(matches))?;
    access.ask_helper(name.registry());
    let progress = if matches.get_flag("quiet") { ProgressTarget::Nothing } else { ProgressTarget::Stderr };
    let status = lent_ids::as_root_of_lent_ids(&mut || {
        get(store, name, &PullOptions { platform: platform.cloned(), progress }, &access, stages)?;
        Ok(ExitCode::SUCCESS)
    })?;
    ensure!(status == ExitCode::SUCCESS, Said);
    Ok(())
}

fn get(store: &Store, name: &Name, wish: &PullOptions, access: &Access, stages: &Stages) -> Result<()> {
    let pulled = registry::pull(store, name, wish, access, stages.apply_layer).map_err(|error| {
        match registry::could_not_be_reached(&error) {
            true => anyhow!(
                "{error:#}\n  help: the image `base` needs no network; `tinbox load` takes images from a file; and who \
                 has them can share them: `tinbox registry serve`"
            ),
            false => error,
        }
    })?;
    pulled.warnings.iter().for_each(|sentence| say!("tinbox: warning: {sentence}"));
    Ok(())
}
