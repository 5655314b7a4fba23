//! `book`: the book of the course.

use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgMatches, Command};

use crate::compile;
use crate::course;

/// `book` and its options.
pub fn command() -> Command {
    Command::new("book").about("Build and read the book; `book -- --help` says how").arg(
        Arg::new("arguments")
            .value_name("ARGS")
            .help("The arguments of the book's program")
            .num_args(0..)
            .trailing_var_arg(true)
            .allow_hyphen_values(true),
    )
}

/// Becomes the book's program.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let mut cargo = compile::cargo_command();
    cargo.arg("run");
    // The first build takes a minute or two, and cargo shows how far it is. Later ones have nothing to show.
    if program_is_built() {
        cargo.arg("--quiet");
    } else {
        eprintln!("Building the program that makes the book. This is only once.");
    }
    cargo.arg("--manifest-path").arg(course::repository().join("Cargo.toml"));
    cargo.args(["--package", "book", "--"]);
    cargo.args(arguments.get_many::<String>("arguments").into_iter().flatten());
    Err(cargo.exec()).context("run cargo")
}

/// Cargo puts all programs beside each other.
fn program_is_built() -> bool {
    std::env::current_exe().is_ok_and(|workshop| workshop.with_file_name("book").exists())
}
