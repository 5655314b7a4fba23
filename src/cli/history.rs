//! `tinbox history`: how an image came to be.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgMatches, Command};
use images::oci::History;
use images::{Image, Store, timestamp};

use crate::Stages;
use crate::cli::format::{self, Listing};
use crate::cli::options::{flag, on};
use crate::cli::units;
use crate::say::print;
use crate::state::State;
use crate::text::shortened;

/// So much of a command is shown.
const SHORT: usize = 45;

/// Arguments, as `docker history` has them.
pub fn command() -> Command {
    Command::new("history")
        .args([
            format::argument(),
            on("human", "Print sizes and times for people; --human=false prints bytes and dates").short('H'),
            flag("no-trunc", "Do not shorten ids and commands"),
            flag("quiet", "Only print ids").short('q'),
            Arg::new("image").value_name("IMAGE").help("Name, id, or the beginning of an id").required(true),
        ])
        .after_help(HELP)
}

const HELP: &str = "\
The newest step comes first. A step that only changed the config has no layer, so its size is 0. Only the last step is \
an image here; the others are <missing>, as in Docker.

For --format there are .ID, .CreatedSince, .CreatedAt, .CreatedBy, .Size and .Comment.

Examples:
  tinbox history alpine
  tinbox history --no-trunc --format '{{.CreatedBy}}' alpine   the whole commands
  tinbox history --human=false alpine                          bytes and dates
  tinbox image inspect --layers alpine                         what each layer holds, drawn";

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let store = Store::open(&State::open()?.images());
    let image = store.look_up(matches.get_one::<String>("image").context("IMAGE is missing")?)?;
    let shown = Shown { human: matches.get_flag("human"), whole: matches.get_flag("no-trunc") };
    let rows = shown.rows(&store, &image)?;
    let format = format::given(matches);
    if matches.get_flag("quiet") && format.is_none_or(|format| format == "table") {
        rows.iter().try_for_each(|row| print(&row[0]))?;
        return Ok(ExitCode::SUCCESS);
    }
    let table = match shown.human {
        true => "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
        false => "{{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
    };
    Listing { fields: FIELDS, table, rows }.print(format)?;
    Ok(ExitCode::SUCCESS)
}

const FIELDS: [(&str, &str); 6] = [
    ("ID", "IMAGE"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("CreatedBy", "CREATED BY"),
    ("Size", "SIZE"),
    ("Comment", "COMMENT"),
];

/// How steps are shown.
struct Shown {
    human: bool,
    whole: bool,
}

impl Shown {
    fn rows(&self, store: &Store, image: &Image) -> Result<Vec<[String; FIELDS.len()]>> {
        let mut sizes = store.sizes(image)?.into_iter();
        let mut steps: Vec<(History, u64)> = Vec::new();
        for step in &image.config.history {
            let size = if step.empty_layer { 0 } else { sizes.next().unwrap_or_default() };
            steps.push((step.clone(), size));
        }
        // Layers that the history does not know of.
        steps.extend(sizes.map(|size| (History::default(), size)));
        let newest_first = steps.iter().rev().enumerate();
        Ok(newest_first.map(|(at, (step, size))| self.row((at == 0).then_some(image), step, *size)).collect())
    }

    fn row(&self, image: Option<&Image>, step: &History, size: u64) -> [String; FIELDS.len()] {
        let id = image.map(|image| if self.whole { image.id.to_string() } else { image.id.short() });
        let created = units::read_time(step.created.as_deref());
        let created_by = step.created_by.clone().unwrap_or_default();
        [
            id.unwrap_or_else(|| "<missing>".to_owned()),
            units::age(created),
            created.map_or_else(|| "N/A".to_owned(), |seconds| timestamp::format(seconds, 0).replace(".000000000", "")),
            if self.whole { created_by } else { shortened(&created_by, SHORT) },
            if self.human { units::size(size) } else { size.to_string() },
            step.comment.clone().unwrap_or_default(),
        ]
    }
}
