//! `start`: get the file for an exercise.

use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Command};

use crate::course;
use crate::mine::{Mine, shown};

/// `start` and its options.
pub fn command() -> Command {
    Command::new("start")
        .about("Get the file for an exercise, and its task")
        .arg(course::argument().help("The exercise; the next one that has not passed, if left out"))
        .after_help(
            "The file is in exercises/mine/ and is yours: nothing that you update or install changes it.\n\
             A file that is there already is left as it is.",
        )
}

/// Makes the file if there is none, and prints the task.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let mine = Mine::here()?;
    let exercise = match course::one(arguments)? {
        Some(exercise) => exercise,
        None => match course::next(&mine)? {
            Some(exercise) => exercise,
            None => {
                println!("All exercises have passed. `cargo workshop list` shows them.");
                return Ok(ExitCode::SUCCESS);
            }
        },
    };
    let made = mine.start(exercise)?;
    println!("{}", course::read(exercise, "task.md")?.trim_end());
    let file = shown(&mine.file(exercise));
    println!("\n{}: {file}", if made { "Your file" } else { "Your file, which you have begun already" });
    println!("Check it:  cargo workshop check {}", exercise.number);
    Ok(ExitCode::SUCCESS)
}
