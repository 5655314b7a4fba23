//! `tinbox image prune`: removes images that nobody uses.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{ArgMatches, Command};
use images::store::{DamagedImage, Listing};
use images::{Image, Store};

use crate::Stages;
use crate::cli::ask::confirmed;
use crate::cli::image::filter::{self, Filter};
use crate::cli::options::flag;
use crate::cli::units;
use crate::image::removal::{Removal, Removed};
use crate::lent_ids;
use crate::say::{print, say};
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
    // What a damaged image says of itself cannot be asked for.
    let filtered = matches.contains_id("filter");
    if !matches.get_flag("force") && !confirmed(warning)? {
        return Ok(ExitCode::SUCCESS);
    }
    lent_ids::as_root_of_lent_ids(&mut || {
        let mut removal = Removal::begin(&state, &store)?;
        ensure!(removal.is_alone(), "something is being added to the images just now: try again when that is done");
        let Listing { images, damaged } = store.listing()?;
        let nameless = |image: &Image| image.names.is_empty() && image.digests.is_empty();
        let unused = images.into_iter().filter(|image| removal.user_of(image).is_none());
        let meant = unused.filter(|image| all || nameless(image)).filter_map(|image| filter.apply(image));
        let meant: Vec<Image> = meant.collect();
        let (gone, stay) = sort_out(&removal, &damaged, |image| !filtered && (all || image.names.is_empty()))?;
        let deeds = removal.all(&meant.iter().collect::<Vec<_>>(), &gone)?;
        report(&deeds, removal.freed)?;
        stay.iter().for_each(|damaged| say!("tinbox: warning: {damaged}"));
        removal.finish()?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Which damaged images go: those that are meant and that no container can have come from.
fn sort_out<'a>(
    removal: &Removal<'_>,
    damaged: &'a [DamagedImage],
    is_meant: impl Fn(&DamagedImage) -> bool,
) -> Result<(Vec<&'a DamagedImage>, Vec<&'a DamagedImage>)> {
    let (mut gone, mut stay) = (Vec::new(), Vec::new());
    for image in damaged {
        let goes = is_meant(image) && removal.user_of_damaged(image)?.is_none();
        if goes { &mut gone } else { &mut stay }.push(image);
    }
    Ok((gone, stay))
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
