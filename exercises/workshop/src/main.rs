//! `cargo workshop`: the harness of the course.
//!
//! # Layout
//!
//! One file for each command, all of the same shape: `command()` describes it, `run()` does it. Besides:
//!
//! - `course.rs`: the exercises and where the course's files are.
//! - `mine.rs`, `progress.rs`: the learner's files, and what they have done.
//! - `compile.rs`: building a package with the learner's files in it.
//! - `trial.rs`, `report.rs`: checking exercises, and saying what came of it.

mod book;
mod check;
mod compile;
mod course;
mod doctor;
mod format;
mod hint;
mod list;
mod mine;
mod progress;
mod report;
mod reset;
mod root;
mod run;
mod solution;
mod start;
mod text;
mod trial;
mod watch;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

const ABOUT: &str = "\
Work through the exercises: write a piece of a container runtime, have it looked at, run containers with it.

The usual round:
  cargo workshop doctor        can this machine do it all?
  cargo workshop start         get the next exercise: a file of yours to write in
  cargo workshop watch         check it whenever you save
  cargo workshop hint 1.3      a nudge, then the calls, then nearly the code
  cargo workshop list          what is done, what is next
  cargo workshop run -- run --rm -it base
                               a container, entered through your own code

Name an exercise by its number (1.3), its name (enter_root) or, where several make sense, its chapter (1).
Your files are in exercises/mine/, and no update of the course touches them.";

fn command() -> Command {
    Command::new("workshop")
        .bin_name("cargo workshop")
        .about("Work through the exercises of the course")
        .long_about(ABOUT)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(doctor::command())
        .subcommand(list::command())
        .subcommand(start::command())
        .subcommand(check::command())
        .subcommand(watch::command())
        .subcommand(hint::command())
        .subcommand(solution::command())
        .subcommand(reset::command())
        .subcommand(run::command())
        .subcommand(root::command())
        .subcommand(book::command())
}

fn main() -> ExitCode {
    let matches = command().get_matches();
    match dispatch(&matches) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("workshop: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn dispatch(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("doctor", matches)) => doctor::run(matches, &course::requirements()),
        Some(("list", matches)) => list::run(matches),
        Some(("start", matches)) => start::run(matches),
        Some(("check", matches)) => check::run(matches),
        Some(("watch", matches)) => watch::run(matches),
        Some(("hint", matches)) => hint::run(matches),
        Some(("solution", matches)) => solution::run(matches),
        Some(("reset", matches)) => reset::run(matches),
        Some(("run", matches)) => run::run(matches),
        Some(("root", matches)) => root::run(matches),
        Some(("book", matches)) => book::run(matches),
        _ => unreachable!("clap asks for one of the commands above"),
    }
}
