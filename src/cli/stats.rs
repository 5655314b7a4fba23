//! `tinbox stats`: what containers use, as their cgroups count it.

use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cgroups::{Group, Usage};
use clap::{Arg, ArgMatches, Command};

use crate::Stages;
use crate::cli::options::flag;
use crate::cli::table::print_table;
use crate::container::{self, Life, Record};
use crate::state::State;

/// Between two looks: processor time is a rate.
const INTERVAL: Duration = Duration::from_secs(1);

/// Arguments, as `docker stats` has them.
pub fn command() -> Command {
    Command::new("stats")
        .args([
            flag("no-stream", "Look once, and end"),
            Arg::new("container").value_name("CONTAINER").help("Only these").num_args(0..),
        ])
        .after_help("On a terminal the table is drawn anew each second, until Ctrl-C; in a pipe it is printed once.\n\nExamples:\n  \
             tinbox stats\n  tinbox stats --no-stream web")
}

/// Does it. In a pipe, or with `--no-stream`, once; on a terminal until it is interrupted.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let state = State::open()?;
    let wanted: Vec<&String> = matches.get_many("container").into_iter().flatten().collect();
    let once = matches.get_flag("no-stream") || !stdout().is_terminal();
    let mut before = look(&state, &wanted)?;
    loop {
        std::thread::sleep(INTERVAL);
        let now = look(&state, &wanted)?;
        if !once {
            // Home, and clear what is below.
            write!(stdout(), "\x1b[H\x1b[J").context("write to the terminal")?;
        }
        print_table(&HEADINGS, &now.iter().map(|sample| sample.row(&before)).collect::<Vec<_>>())?;
        if once {
            return Ok(ExitCode::SUCCESS);
        }
        before = now;
    }
}

const HEADINGS: [&str; 7] = ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "BLOCK I/O", "PIDS"];

/// What a container had used at some time.
struct Sample {
    record: Record,
    usage: Option<Usage>,
    at: Instant,
}

fn look(state: &State, wanted: &[&String]) -> Result<Vec<Sample>> {
    let records: Vec<Record> = match wanted {
        [] => container::all(state)?.into_iter().filter(|(_, life)| *life == Life::Running).map(|(r, _)| r).collect(),
        names => names
            .iter()
            .map(|name| container::find_running(state, name).map(|(record, _)| record))
            .collect::<Result<_>>()?,
    };
    let sample = |record: Record| {
        let usage = Group::open(&record.id).map(|group| group.usage());
        Sample { record, usage, at: Instant::now() }
    };
    Ok(records.into_iter().map(sample).collect())
}

impl Sample {
    fn row(&self, before: &[Sample]) -> [String; 7] {
        let usage = self.usage.clone().unwrap_or_default();
        let before = before.iter().find(|before| before.record.id == self.record.id);
        let rate = before.and_then(|before| {
            let used = usage.cpu_us?.saturating_sub(before.usage.as_ref()?.cpu_us?);
            Some(used as f64 / self.at.duration_since(before.at).as_micros().max(1) as f64)
        });
        // What the kernel would take back first is not counted, as in Docker.
        let memory = usage.memory.map(|bytes| bytes.saturating_sub(usage.memory_inactive_file.unwrap_or(0)));
        let shown = |value: Option<u64>, show: fn(u64) -> String| value.map_or("--".to_owned(), show);
        let percent = |part: Option<f64>| part.map_or("--".to_owned(), |part| format!("{:.2}%", part * 100.0));
        let of_limit = memory.zip(usage.memory_limit).map(|(used, limit)| used as f64 / limit.max(1) as f64);
        [
            self.record.short_id().to_owned(),
            self.record.name.clone(),
            percent(rate),
            format!("{} / {}", shown(memory, bytes), shown(usage.memory_limit, bytes)),
            percent(of_limit),
            format!("{} / {}", shown(usage.io_read, bytes), shown(usage.io_written, bytes)),
            shown(usage.pids, |number| number.to_string()),
        ]
    }
}

/// `12.5MiB`, as Docker writes sizes here.
fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    // Four digits are enough to tell.
    let digits = if unit == 0 || value >= 1000.0 { 0 } else { 3 - value.log10().max(0.0) as usize };
    format!("{value:.digits$}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_four_digits() {
        for (number, text) in
            [(0, "0B"), (1023, "1023B"), (1536, "1.500KiB"), (64 << 20, "64.00MiB"), (1 << 40, "1.000TiB")]
        {
            assert_eq!(bytes(number), text);
        }
    }
}
