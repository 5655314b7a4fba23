//! The command line: one file per verb, all of the same shape.
//!
//! A verb is a `command()` that describes its arguments and a `run()` that does it. Which verb is asked for is
//! found before any of them is described, because describing all of them costs more than starting a container's
//! first process.

mod ask;
mod commit;
mod containers;
mod diff;
mod dispatch;
mod explain;
mod export;
mod format;
mod history;
mod image;
mod images;
mod import;
mod inspect;
mod load;
mod login;
mod logout;
mod options;
mod password;
mod pause;
mod ps;
mod pull;
mod push;
mod registry;
mod rm;
mod rmi;
mod run;
mod save;
mod search;
mod stats;
mod table;
mod tag;
mod units;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Command;

use crate::Stages;
use dispatch::{Group, Level, OWN_ERROR, Verb};

// What can be said with `image` in front, or without.
const HISTORY: Verb = Verb {
    name: "history",
    about: "Show how an image came to be",
    command: history::command,
    run: history::run,
    on_error: 1,
};
const TAG: Verb =
    Verb { name: "tag", about: "Give an image one more name", command: tag::command, run: tag::run, on_error: 1 };
const PULL: Verb = Verb {
    name: "pull",
    about: "Download an image from a registry",
    command: pull::command,
    run: pull::run,
    on_error: 1,
};
const PUSH: Verb =
    Verb { name: "push", about: "Upload an image to a registry", command: push::command, run: push::run, on_error: 1 };
const SAVE: Verb = Verb {
    name: "save",
    about: "Write one or more images to an archive",
    command: save::command,
    run: save::run,
    on_error: 1,
};
const LOAD: Verb =
    Verb { name: "load", about: "Read images from an archive", command: load::command, run: load::run, on_error: 1 };
const IMPORT: Verb = Verb {
    name: "import",
    about: "Make an image from a tar of a root file system",
    command: import::command,
    run: import::run,
    on_error: 1,
};

/// One word each.
const VERBS: &[Verb] = &[
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
    Verb { name: "images", about: "List images", command: images::command, run: images::run, on_error: 1 },
    HISTORY,
    TAG,
    Verb { name: "rmi", about: "Remove one or more images", command: rmi::command, run: rmi::run, on_error: 1 },
    Verb {
        name: "inspect",
        about: "Show all that is known about images and containers",
        command: inspect::command,
        run: inspect::run,
        on_error: 1,
    },
    IMPORT,
    Verb {
        name: "commit",
        about: "Make an image of what a container changed",
        command: commit::command,
        run: commit::run,
        on_error: 1,
    },
    Verb {
        name: "diff",
        about: "Show what a container changed in its root",
        command: diff::command,
        run: diff::run,
        on_error: 1,
    },
    Verb {
        name: "export",
        about: "Write a container's root to an archive",
        command: export::command,
        run: export::run,
        on_error: 1,
    },
    SAVE,
    LOAD,
    PULL,
    PUSH,
    Verb { name: "login", about: "Log in to a registry", command: login::command, run: login::run, on_error: 1 },
    Verb { name: "logout", about: "Log out from a registry", command: logout::command, run: logout::run, on_error: 1 },
    Verb {
        name: "search",
        about: "Search a registry for images",
        command: search::command,
        run: search::run,
        on_error: 1,
    },
];

/// Two words each.
const GROUPS: &[Group] = &[image::GROUP, registry::GROUP];

/// Runs the command line of this process.
pub fn main(stages: &Stages) -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    // `tinbox help run` is `tinbox run --help`.
    if arguments.len() > 2 && arguments[1] == "help" {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    Level { path: "tinbox", verbs: VERBS, aliases: &[], groups: GROUPS, command: &command }.run(&arguments, stages)
}

fn command() -> Command {
    Command::new("tinbox")
        .about("Run containers, and see how they are made")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(
            "Examples:\n  \
             tinbox run --rm -it base              a shell in a container, without any image to fetch\n  \
             tinbox run --rm --explain base true   every kernel call that makes a container, with its reason\n  \
             tinbox import root.tar debian         an image from a root file system of yours\n\n\
             `tinbox VERB --help` tells more, with examples.",
        )
}
