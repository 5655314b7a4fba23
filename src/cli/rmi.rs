//! `tinbox rmi`: removes images.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgMatches, Command};
use images::store::{DamagedImage, LookUpError};
use images::{Name, Store};

use crate::Stages;
use crate::cli::options::flag;
use crate::image::removal::{Removal, Removed};
use crate::lent_ids;
use crate::say::{print, say};
use crate::state::State;

/// Arguments, as `docker rmi` has them.
pub fn command() -> Command {
    Command::new("rmi")
        .args([
            flag("force", "Remove names of an image that has several, or that a container came from").short('f'),
            flag("no-prune", "Taken for docker's sake: there are no parents here that could be pruned, too"),
            Arg::new("image")
                .value_name("IMAGE")
                .help("Name, id, or the beginning of an id")
                .num_args(1..)
                .required(true),
        ])
        .after_help(HELP)
}

const HELP: &str = "\
A name is only taken from its image; the image goes with its last name, and with it the layers that no other image \
has. As long as there is a container of an image, its layers stay: with --force the image loses its name, and \
`tinbox image prune` removes it once the container is gone.

Examples:
  tinbox rmi alpine:3                           a name
  tinbox rmi -f 4f1c                            an image by its id, with all its names
  tinbox rmi $(tinbox images -q 'me/*')         all of a name
  tinbox image prune                            all that have no name";

/// Does it. One that fails does not keep the others; with --force it is no failure if there is none of that name.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let force = matches.get_flag("force");
    let wanted: Vec<&String> = matches.get_many("image").into_iter().flatten().collect();
    let state = State::open()?;
    let store = Store::open(&state.images());
    lent_ids::as_root_of_lent_ids(&mut || {
        let mut removal = Removal::begin(&state, &store)?;
        let mut status = ExitCode::SUCCESS;
        for wanted in &wanted {
            if let Err(error) = remove(&store, &mut removal, wanted, force) {
                say!("tinbox: {error:#}");
                if !(force && matches!(error.downcast_ref(), Some(LookUpError::NoSuch(_)))) {
                    status = ExitCode::FAILURE;
                }
            }
        }
        for damaged in removal.in_the_way() {
            say!("tinbox: warning: {damaged}; until then no layers are cleared away, as it may need them");
        }
        removal.finish()?;
        Ok(status)
    })
}

fn remove(store: &Store, removal: &mut Removal<'_>, wanted: &str, force: bool) -> Result<()> {
    let named = |names: &[&[Name]]| Name::parse(wanted).ok().filter(|name| names.concat().contains(name));
    let deeds = match store.look_up(wanted) {
        Ok(image) => match named(&[&image.names, &image.digests]) {
            Some(name) => removal.by_name(&name, &image, force)?,
            None => removal.by_id(&image, force)?,
        },
        Err(error) => {
            let damaged: DamagedImage = error.downcast()?;
            removal.damaged(&damaged, named(&[&damaged.names]).as_ref(), force)?
        }
    };
    for deed in &deeds {
        print(&match deed {
            Removed::Untagged(name) => format!("Untagged: {name}"),
            Removed::Deleted(digest) => format!("Deleted: {digest}"),
        })?;
    }
    if !removal.is_alone() {
        say!("tinbox: something is being added just now, so layers stay: `tinbox image prune` removes them later");
    }
    Ok(())
}
