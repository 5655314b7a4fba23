//! `hint`: help in three steps.

use std::process::ExitCode;

use anyhow::{Result, bail};
use catalog::Exercise;
use clap::{Arg, ArgMatches, Command, value_parser};
use colored::Colorize;

use crate::course;
use crate::mine::Mine;
use crate::progress::{self, Progress};

/// How many tiers there are.
const TIERS: usize = 3;

/// `hint` and its options.
pub fn command() -> Command {
    Command::new("hint")
        .about("Get a hint: first a nudge, then the calls, then nearly the code")
        .arg(course::argument().help("The exercise; the one that you are at, if left out"))
        .arg(
            Arg::new("tier")
                .long("tier")
                .value_name("K")
                .help("The first, second or third hint; the next one, if left out")
                .value_parser(value_parser!(u8).range(1..=TIERS as i64)),
        )
        .after_help(
            "Examples:\n  cargo workshop hint                the next hint for what you are at\n  \
             cargo workshop hint 1.3            the next hint for 1.3\n  \
             cargo workshop hint 1.3 --tier 1   the first once more",
        )
}

/// Prints a hint, and records that it was read.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let mine = Mine::here()?;
    let exercise = course::one_or_current(arguments, &mine)?;
    let seen = Progress::load(&mine)?.of(exercise).hints;
    let tier = match arguments.get_one::<u8>("tier") {
        Some(tier) => usize::from(*tier),
        None => (seen + 1).min(TIERS),
    };
    let hints = tiers(&course::read(exercise, "hints.md")?);
    let Some(hint) = hints.get(tier - 1) else { bail!("{} has no hint {tier}", exercise.number) };
    println!("{}\n\n{hint}\n", format!("{} {}, hint {tier} of {TIERS}", exercise.number, exercise.name).bold());
    println!("{}", what_next(exercise, tier));
    progress::record(&mine, exercise, |record| record.hints = record.hints.max(tier))?;
    Ok(ExitCode::SUCCESS)
}

fn what_next(exercise: &Exercise, tier: usize) -> String {
    let number = exercise.number;
    if tier < TIERS {
        format!("The next hint: cargo workshop hint {number}")
    } else {
        format!("That was the last one. If it does not help: cargo workshop solution {number} --give-up")
    }
}

/// The texts below the headings `## 1 …`, `## 2 …`, `## 3 …`.
fn tiers(text: &str) -> Vec<String> {
    let parts = text.split("\n## ").skip(1);
    parts.map(|part| part.split_once('\n').map_or("", |(_, text)| text).trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exercise_has_a_task_and_three_hints() {
        for exercise in &catalog::ALL {
            let hints = tiers(&course::read(exercise, "hints.md").unwrap());
            assert_eq!(hints.len(), TIERS, "{}", exercise.number);
            assert!(hints.iter().all(|hint| !hint.is_empty()), "{}", exercise.number);
            assert!(course::read(exercise, "task.md").unwrap().contains(exercise.signature), "{}", exercise.number);
        }
    }
}
