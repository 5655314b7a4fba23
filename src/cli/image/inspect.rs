//! `tinbox image inspect`: `tinbox inspect` for images alone, and with `--layers` a drawing of what is in them.

use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Command};
use images::Store;

use crate::Stages;
use crate::cli::format;
use crate::cli::image::layers::{self, Picture};
use crate::cli::inspect::{self, Document};
use crate::cli::options::flag;
use crate::lent_ids;
use crate::say::{print, say};
use crate::state::State;

/// Arguments, as `docker image inspect` has them, and `--layers`.
pub fn command() -> Command {
    Command::new("inspect")
        .args([
            inspect::format_argument(),
            flag("layers", "Show what each layer holds and hides, drawn, or as --format says"),
            inspect::names(),
        ])
        .after_help(HELP)
}

const HELP: &str = "\
With --layers, the layers are drawn as they lie: the top one first. Of each you see what made it, what it takes, how \
many files it has and which are the biggest; how many of them replace or delete something below, which stays in the \
layers below and is only hidden; and which other images have the layer, too. Steps that left no layer are between them.

Examples:
  tinbox image inspect alpine
  tinbox image inspect -f '{{.Size}}' alpine
  tinbox image inspect --layers alpine
  tinbox image inspect --layers -f '{{range .Layers}}{{println .Size .CreatedBy}}{{end}}' alpine
  tinbox image inspect --layers --format json alpine";

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let store = Store::open(&State::open()?.images());
    if !matches.get_flag("layers") {
        return inspect::show_all(matches, |wanted| inspect::image::look_up(&store, wanted));
    }
    lent_ids::as_root_of_lent_ids(&mut || match format::given(matches).is_some() {
        true => inspect::show_all(matches, |wanted| Document::of(&Picture::of(&store, wanted)?)),
        false => draw_all(matches, &store),
    })
}

/// One picture below the other. What is not there does not keep the others.
fn draw_all(matches: &ArgMatches, store: &Store) -> Result<ExitCode> {
    let mut status = ExitCode::SUCCESS;
    for (at, wanted) in matches.get_many::<String>("name").into_iter().flatten().enumerate() {
        if at > 0 {
            print("")?;
        }
        match Picture::of(store, wanted) {
            Ok(picture) => layers::draw(&picture)?,
            Err(error) => {
                say!("Error: {error:#}");
                status = ExitCode::FAILURE;
            }
        }
    }
    Ok(status)
}
