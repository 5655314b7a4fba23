//! `tinbox ps`: lists containers.

use std::process::ExitCode;

use anyhow::Result;
use cgroups::Group;
use clap::{ArgMatches, Command};
use images::Store;

use crate::Stages;
use crate::cli::options::flag;
use crate::cli::table::print_table;
use crate::cli::units::{ago, duration};
use crate::container::{self, Life, Record};
use crate::say::print;
use crate::state::State;
use crate::text::one_line;

/// Arguments, as `docker ps` has them.
pub fn command() -> Command {
    Command::new("ps")
        .args([flag("all", "Show those that have ended too").short('a'), flag("quiet", "Only print ids").short('q')])
        .after_help("Examples:\n  tinbox ps -a\n  tinbox rm $(tinbox ps -aq)     remove all that have ended")
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let state = State::open()?;
    let shown: Vec<(Record, Life)> = container::all(&state)?
        .into_iter()
        .filter(|(_, life)| matches.get_flag("all") || *life == Life::Running)
        .collect();
    let store = Store::open(&state.images());
    let rows: Vec<[String; 6]> = shown.iter().map(|(record, life)| row(&store, record, *life)).collect();
    if matches.get_flag("quiet") {
        rows.iter().try_for_each(|row| print(&row[0]))?;
    } else {
        let headings = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "NAMES"];
        print_table(&headings, &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(store: &Store, record: &Record, life: Life) -> [String; 6] {
    let now = container::now();
    let created = ago(record.created);
    let status = match life {
        Life::Running => {
            let paused = Group::open(&record.id).is_some_and(|group| group.is_frozen());
            format!("Up {}{}", duration(now.saturating_sub(record.created)), if paused { " (Paused)" } else { "" })
        }
        Life::Exited(ended) => format!("Exited ({}) {}", ended.status, ago(ended.at)),
        Life::Lost => "Lost (tinbox was killed)".into(),
    };
    let words: Vec<&str> = record.config.entrypoint.iter().chain(&record.command).map(String::as_str).collect();
    let command = one_line(&words.join(" "), 20);
    [record.short_id().to_owned(), image(store, record), format!("\"{command}\""), created, status, record.name.clone()]
}

/// What its image was called, or the image's id if that name means another image by now, or none.
fn image(store: &Store, record: &Record) -> String {
    let still = store.look_up(&record.image).is_ok_and(|image| image.id == record.image_id);
    if still { record.image.clone() } else { record.image_id.short() }
}
