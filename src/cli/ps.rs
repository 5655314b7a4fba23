//! `tinbox ps`: lists containers.

use std::process::ExitCode;

use anyhow::Result;
use cgroups::Group;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::Stages;
use crate::cli::table::print_table;
use crate::container::{self, Life, Record};
use crate::say::print;
use crate::state::State;

/// Arguments, as `docker ps` has them.
pub fn command() -> Command {
    let flag = |name: &'static str, short: char, help: &'static str| {
        Arg::new(name).long(name).short(short).help(help).action(ArgAction::SetTrue)
    };
    Command::new("ps")
        .args([flag("all", 'a', "Show those that have ended too"), flag("quiet", 'q', "Only print ids")])
        .after_help("Examples:\n  tinbox ps -a\n  tinbox rm $(tinbox ps -aq)     remove all that have ended")
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let state = State::open()?;
    let shown: Vec<(Record, Life)> = container::all(&state)?
        .into_iter()
        .filter(|(_, life)| matches.get_flag("all") || *life == Life::Running)
        .collect();
    let rows: Vec<[String; 6]> = shown.iter().map(|(record, life)| row(record, *life)).collect();
    if matches.get_flag("quiet") {
        rows.iter().try_for_each(|row| print(&row[0]))?;
    } else {
        let headings = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "NAMES"];
        print_table(&headings, &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(record: &Record, life: Life) -> [String; 6] {
    let now = container::now();
    let created = ago(now.saturating_sub(record.created));
    let status = match life {
        Life::Running => {
            let paused = Group::open(&record.id).is_some_and(|group| group.is_frozen());
            format!("Up {}{}", duration(now.saturating_sub(record.created)), if paused { " (Paused)" } else { "" })
        }
        Life::Exited(ended) => format!("Exited ({}) {}", ended.status, ago(now.saturating_sub(ended.at))),
        Life::Lost => "Lost (tinbox was killed)".into(),
    };
    let command = shorten(&record.command.join(" "), 20);
    [record.id[..12].to_owned(), record.image.clone(), format!("\"{command}\""), created, status, record.name.clone()]
}

/// Shows control characters as what they are, so that a command cannot repaint the terminal of who lists it.
fn shorten(text: &str, most: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().count() <= most { text } else { text.chars().take(most - 1).chain(['…']).collect() }
}

fn ago(seconds: u64) -> String {
    format!("{} ago", duration(seconds))
}

/// A length of time, as docker words it.
fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match () {
        () if seconds < 1 => "Less than a second".into(),
        () if seconds == 1 => "1 second".into(),
        () if minutes < 1 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".into(),
        () if hours < 1 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".into(),
        () if days < 2 => format!("{hours} hours"),
        () => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_worded_as_docker_does() {
        let words = [
            (0, "Less than a second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (7200, "2 hours"),
            (180_000, "2 days"),
        ];
        for (seconds, expected) in words {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn a_command_cannot_repaint_the_terminal() {
        assert_eq!(shorten("\u{1b}[2Jx", 20), "?[2Jx");
        assert_eq!(shorten("a long long command", 8), "a long …");
    }
}
