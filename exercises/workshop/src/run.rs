//! `run`: the finished runtime, with your functions in it.

use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use anyhow::{Context, Result};
use catalog::Exercise;
use clap::{Arg, ArgMatches, Command};

use crate::compile;
use crate::mine::Mine;
use crate::progress::{Progress, Standing};

/// `run` and its options.
pub fn command() -> Command {
    Command::new("run")
        .about("Run tinbox with your functions in the places of the chapters' own")
        .arg(
            Arg::new("arguments")
                .value_name("ARGS")
                .help("The arguments of tinbox")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true),
        )
        .after_help(
            "A function is yours when its file has passed and has not been changed since; else the chapter's own is \
             used, and the first line says why.\n\n\
             Examples:\n  cargo workshop run -- run --rm -it base\n  \
             cargo workshop run -- run --explain --rm base ls /",
        )
}

/// Builds the runtime, says which functions are whose, and becomes it.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let mine = Mine::here()?;
    let progress = Progress::load(&mine)?;
    let mut yours: Vec<&Exercise> = Vec::new();
    let mut words = Vec::new();
    for exercise in catalog::ALL.iter().filter(|exercise| exercise.seam) {
        let standing = progress.standing(&mine, exercise)?;
        if standing == Standing::Passed {
            yours.push(exercise);
        }
        words.push(whose(exercise, standing));
    }
    let (program, lock) = compile::runtime(&mine, &yours)?;
    eprintln!("{}", words.join(" · "));
    let arguments = arguments.get_many::<String>("arguments").into_iter().flatten();
    let error = std::process::Command::new(&program).arg0("tinbox").args(arguments).exec();
    drop(lock);
    Err(error).with_context(|| format!("run {}", program.display()))
}

/// `ch1 yours`, or why not.
fn whose(exercise: &Exercise, standing: Standing) -> String {
    let why = match standing {
        Standing::Passed => return format!("ch{} yours", exercise.chapter()),
        Standing::NotStarted => "not begun",
        Standing::Started => "has not passed yet",
        Standing::Changed => "changed since it passed",
    };
    format!("ch{} reference ({} {}: {why})", exercise.chapter(), exercise.number, exercise.name)
}
