//! `solution`: the chapter's own function.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use catalog::{Exercise, cut};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::course;
use crate::mine::Mine;
use crate::progress::{self, Progress};

/// `solution` and its options.
pub fn command() -> Command {
    Command::new("solution")
        .about("Show the chapter's own function, after yours has passed")
        .arg(course::argument().required(true))
        .arg(
            Arg::new("give-up")
                .long("give-up")
                .help("Show it before that; `list` will say so")
                .action(ArgAction::SetTrue),
        )
        .arg(Arg::new("yes").long("yes").help("Do not ask whether you mean it").action(ArgAction::SetTrue))
        .after_help("Yours need not look the same. If the kernel sees the same, it is right.")
}

/// Prints the solution, if it may.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let mine = Mine::here()?;
    let exercise = course::required(arguments)?;
    if !may_see(&mine, exercise, arguments)? {
        return Ok(ExitCode::FAILURE);
    }
    let solution = cut::solution(exercise, &course::reference(exercise)?).map_err(|problem| anyhow!(problem))?;
    print!("// {} {}, from {}\n\n{solution}", exercise.number, exercise.name, exercise.reference);
    Ok(ExitCode::SUCCESS)
}

/// Whether the learner has passed, or gives up now.
fn may_see(mine: &Mine, exercise: &Exercise, arguments: &ArgMatches) -> Result<bool> {
    let record = Progress::load(mine)?.of(exercise);
    if record.passed.is_some() || record.gave_up {
        return Ok(true);
    }
    let number = exercise.number;
    if !arguments.get_flag("give-up") {
        eprintln!("{number} {} has not passed yet. There are hints: cargo workshop hint {number}", exercise.name);
        eprintln!("If you want to see the solution all the same: cargo workshop solution {number} --give-up");
        return Ok(false);
    }
    if !arguments.get_flag("yes") && !confirmed(exercise)? {
        eprintln!("Nothing is lost: your file is as it was.");
        return Ok(false);
    }
    progress::record(mine, exercise, |record| record.gave_up = true)?;
    Ok(true)
}

fn confirmed(exercise: &Exercise) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        eprintln!("There is no terminal to ask on; say --yes if you mean it.");
        return Ok(false);
    }
    eprint!("Give up on {} {}? The list will say so. [y/N] ", exercise.number, exercise.name);
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
