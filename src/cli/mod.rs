//! The command line: one file per verb, all of the same shape.
//!
//! A verb is a `command()` that describes its arguments and a `run()` that does it. Which verb is asked for is
//! found before any of them is described, because describing all of them costs more than starting a container's
//! first process.

mod containers;
mod explain;
pub mod format;
mod import;
mod pause;
mod ps;
mod rm;
mod run;
mod stats;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::error::{ContextKind, ErrorKind};
use clap::{ArgAction, ArgMatches, Command};
use colored::Colorize;

use crate::Stages;
use crate::say::say;

/// Status of Tinbox's own errors, as `docker run` has it.
const OWN_ERROR: u8 = 125;

/// A verb of the command line.
struct Verb {
    name: &'static str,
    about: &'static str,
    command: fn() -> Command,
    run: fn(&ArgMatches, &Stages) -> Result<ExitCode>,
    /// The status of an error. What does not pass on a container's status uses 1, as docker does.
    on_error: u8,
}

const VERBS: [Verb; 7] = [
    Verb {
        name: "run",
        about: "Create and run a new container",
        command: run::command,
        run: run::run,
        on_error: OWN_ERROR,
    },
    Verb { name: "ps", about: "List containers", command: ps::command, run: ps::run, on_error: 1 },
    Verb { name: "rm", about: "Remove one or more containers", command: rm::command, run: rm::run, on_error: 1 },
    Verb {
        name: "pause",
        about: "Pause all processes of one or more containers",
        command: pause::command,
        run: pause::run,
        on_error: 1,
    },
    Verb {
        name: "unpause",
        about: "Let paused containers go on",
        command: pause::unpause_command,
        run: pause::run_unpause,
        on_error: 1,
    },
    Verb { name: "stats", about: "Show what containers use", command: stats::command, run: stats::run, on_error: 1 },
    Verb {
        name: "import",
        about: "Make an image from a tar of a root file system",
        command: import::command,
        run: import::run,
        on_error: 1,
    },
];

/// Runs the command line of this process.
pub fn main(stages: &Stages) -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    // `tinbox help run` is `tinbox run --help`.
    if arguments.len() == 3 && arguments[1] == "help" {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    let name = arguments.get(1).and_then(|name| name.to_str()).unwrap_or_default();
    match VERBS.iter().find(|verb| verb.name == name) {
        Some(verb) => execute(verb, &arguments, stages),
        None => overview(arguments),
    }
}

fn execute(verb: &Verb, arguments: &[OsString], stages: &Stages) -> ExitCode {
    let command = describe(verb).arg(explain::argument()).bin_name(format!("tinbox {}", verb.name));
    let matches = match command.try_get_matches_from(&arguments[1..]) {
        Ok(matches) => matches,
        Err(error) => return refuse(&error, verb.name, verb.on_error),
    };
    explain::begin(&matches);
    (verb.run)(&matches, stages).unwrap_or_else(|error| {
        say!("{} {error:#}", "tinbox:".red());
        ExitCode::from(verb.on_error)
    })
}

/// An option that is given twice counts as it was given last, as in docker.
fn describe(verb: &Verb) -> Command {
    (verb.command)().about(verb.about).mut_args(|argument| {
        let id = argument.get_id().clone();
        let once = matches!(argument.get_action(), ArgAction::Set | ArgAction::SetTrue) && !argument.is_positional();
        if once { argument.overrides_with(id) } else { argument }
    })
}

/// `tinbox` without a verb, with `--help`, or with a verb that is not there.
fn overview(arguments: Vec<OsString>) -> ExitCode {
    let command = Command::new("tinbox")
        .about("Run containers, and see how they are made")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(VERBS.iter().map(|verb| Command::new(verb.name).about(verb.about)))
        .after_help(
            "Examples:\n  \
             tinbox run --rm -it base              a shell in a container, without any image to fetch\n  \
             tinbox run --rm --explain base true   every kernel call that makes a container, with its reason\n  \
             tinbox import root.tar debian         an image from a root file system of yours\n\n\
             `tinbox VERB --help` tells more, with examples.",
        );
    match command.try_get_matches_from(arguments) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => refuse(&error, "", OWN_ERROR),
    }
}

/// Prints help as help, and a mistake as an error. `verb` is empty where none was found.
fn refuse(error: &clap::Error, verb: &str, status: u8) -> ExitCode {
    let named = |kind| error.get(kind).map(ToString::to_string);
    match (named(ContextKind::InvalidSubcommand), named(ContextKind::InvalidArg), named(ContextKind::SuggestedArg)) {
        (Some(unknown), _, _) => {
            let verbs: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
            say!("{} there is no command '{unknown}', or not yet: there are {}", "tinbox:".red(), verbs.join(", "));
        }
        // What is not known is not meant as a word of the command, as clap would have it.
        (None, Some(unknown), similar) if error.kind() == ErrorKind::UnknownArgument => {
            let whole = ["tinbox", verb].join(" ");
            let whole = whole.trim_end();
            say!("{} {unknown}: `{whole}` has no such option, or not yet", "tinbox:".red());
            let similar = similar.map(|option| format!("; there is {option}")).unwrap_or_default();
            say!("  help: `{whole} --help` lists those that it has{similar}");
        }
        _ => drop(error.print()),
    }
    if error.use_stderr() { ExitCode::from(status) } else { ExitCode::SUCCESS }
}
