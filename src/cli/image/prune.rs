//! `tinbox image prune`: removes images that nobody uses.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{ArgMatches, Command};
use images::{Image, Store};

use crate::Stages;
use crate::cli::ask::confirmed;
use crate::cli::image::filter::{self, Filter};
use crate::cli::options::flag;
use crate::cli::units;
use crate::image::removal::{Removal, Removed};
use crate::lent_ids;
use crate::say::print;
use crate::state::State;

/// Arguments, as `docker image prune` has them.
pub fn command() -> Command {
    Command::new("prune")
        .args([
            flag("all", "Remove all that no container came from, not only those without a name").short('a'),
            flag("force", "Do not ask").short('f'),
            filter::argument("Only those: until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]"),
        ])
        .after_help(
            "An image that a container came from stays, whether the container runs or not.\n\nExamples:\n  \
             tinbox image prune                            those without a name\n  \
             tinbox image prune -a --filter until=240h     all that are older than ten days and not used\n  \
             tinbox image prune -af                        all that are not used, without asking",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let state = State::open()?;
    let store = Store::open(&state.images());
    let mut filter = Filter::read(matches, &store, &["until", "label", "label!", "dangling"])?;
    let all = filter.take_dangling().map_or(matches.get_flag("all"), |dangling| !dangling);
    let warning = match all {
        true => "WARNING! This will remove all images without at least one container associated to them.",
        false => "WARNING! This will remove all dangling images.",
    };
    if !matches.get_flag("force") && !confirmed(warning)? {
        return Ok(ExitCode::SUCCESS);
    }
    lent_ids::as_root_of_lent_ids(&mut || {
        let mut removal = Removal::begin(&state, &store)?;
        ensure!(removal.is_alone(), "something is being added to the images just now: try again when that is done");
        let nameless = |image: &Image| image.names.is_empty() && image.digests.is_empty();
        let unused = store.list()?.into_iter().filter(|image| removal.user_of(image).is_none());
        let meant = unused.filter(|image| all || nameless(image)).filter_map(|image| filter.apply(image));
        let meant: Vec<Image> = meant.collect();
        let deeds = removal.all(&meant.iter().collect::<Vec<_>>())?;
        report(&deeds, removal.freed).map(|()| ExitCode::SUCCESS)
    })
}

fn report(deeds: &[Removed], freed: u64) -> Result<()> {
    if !deeds.is_empty() {
        print("Deleted Images:")?;
        for deed in deeds {
            print(&match deed {
                Removed::Untagged(name) => format!("untagged: {name}"),
                Removed::Deleted(digest) => format!("deleted: {digest}"),
            })?;
        }
        print("")?;
    }
    print(&format!("Total reclaimed space: {}", units::size(freed)))
}
