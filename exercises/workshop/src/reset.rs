//! `reset`: begin an exercise again.

use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Command};

use crate::course;
use crate::mine::{Mine, shown};

/// `reset` and its options.
pub fn command() -> Command {
    Command::new("reset")
        .about("Begin an exercise again; what you wrote is set aside")
        .arg(course::argument().required(true))
        .after_help("Your file is renamed to end in .bak-1, .bak-2 and so on, and never removed.")
}

/// Sets the learner's file aside and writes the starter.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let mine = Mine::here()?;
    let exercise = course::required(arguments)?;
    if mine.is_untouched(exercise)? {
        println!("Nothing is written in it yet: {}", shown(&mine.file(exercise)));
        return Ok(ExitCode::SUCCESS);
    }
    if mine.has(exercise) {
        println!("What you wrote is now {}", shown(&mine.set_aside(exercise)?));
    }
    mine.start(exercise)?;
    println!("A new start: {}", shown(&mine.file(exercise)));
    Ok(ExitCode::SUCCESS)
}
