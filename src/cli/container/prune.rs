//! `tinbox container prune`: removes containers that have ended.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{ArgMatches, Command};
use images::Store;

use crate::Stages;
use crate::cli::ask::confirmed;
use crate::cli::image::filter::{self, Label};
use crate::cli::inspect;
use crate::cli::options::flag;
use crate::cli::units;
use crate::container::{self, Life, NoSuch, Record};
use crate::lent_ids;
use crate::say::print;
use crate::state::State;

/// Arguments, as `docker container prune` has them.
pub fn command() -> Command {
    Command::new("prune")
        .args([
            flag("force", "Do not ask").short('f'),
            filter::argument("Only those: until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]"),
        ])
        .after_help(
            "Whatever such a container wrote is gone with it; its image stays.\n\nExamples:\n  \
             tinbox container prune                          all that have ended\n  \
             tinbox container prune -f --filter until=24h    those made more than a day ago, without asking",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let filter = Filter::read(matches)?;
    let warning = "WARNING! This will remove all stopped containers.";
    if !matches.get_flag("force") && !confirmed(warning)? {
        return Ok(ExitCode::SUCCESS);
    }
    let state = State::open()?;
    let store = Store::open(&state.images());
    lent_ids::as_root_of_lent_ids(&mut || {
        let ended = container::all(&state)?.into_iter().filter(|(_, life)| *life != Life::Running);
        let (mut removed, mut freed) = (Vec::new(), 0);
        let mut outcome = Ok(ExitCode::SUCCESS);
        for (record, _) in ended.filter(|(record, _)| filter.means(record)) {
            // What cannot be counted can be removed all the same.
            let bytes = inspect::container::written(&state, &store, &record).unwrap_or(0);
            match container::remove(&state, &record.id, false) {
                Ok(()) => {
                    freed += bytes;
                    removed.push(record.id);
                }
                // Somebody else has removed it meanwhile.
                Err(error) if error.is::<NoSuch>() => {}
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        if !removed.is_empty() {
            print(&format!("Deleted Containers:\n{}\n", removed.join("\n")))?;
        }
        print(&format!("Total reclaimed space: {}", units::size(freed)))?;
        outcome
    })
}

/// Which are meant. All must be so.
#[derive(Default)]
struct Filter {
    labels: Vec<Label>,
    without_labels: Vec<Label>,
    before: Vec<i64>,
}

impl Filter {
    fn read(matches: &ArgMatches) -> Result<Filter> {
        let mut filter = Filter::default();
        for (key, value) in filter::given(matches)? {
            match key {
                "label" => filter.labels.push(Label::read(value)),
                "label!" => filter.without_labels.push(Label::read(value)),
                "until" => filter.before.push(filter::until(value)?),
                _ => bail!("invalid filter '{key}'\n  help: there are until, label, label!"),
            }
        }
        Ok(filter)
    }

    fn means(&self, record: &Record) -> bool {
        let labels = &record.config.labels;
        let created = i64::try_from(record.created).unwrap_or(i64::MAX);
        self.labels.iter().all(|label| label.is_in(labels))
            && !self.without_labels.iter().any(|label| label.is_in(labels))
            && self.before.iter().all(|time| created < *time)
    }
}
