//! The command line: one file per verb, all of the same shape.
//!
//! A verb is a `command()` that describes its arguments and a `run()` that does it. Which verb is asked for is
//! found before any of them is described, because describing all of them costs more than starting a container's
//! first process.

mod ask;
mod commit;
mod container;
mod containers;
mod diff;
mod dispatch;
mod explain;
mod export;
mod format;
mod global;
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
use crate::container::OWN_ERROR;
use crate::say::program;
use dispatch::{Group, Level, Verb, verb};

// What can be said with `image` or `container` in front, or without.
const RUN: Verb = verb("run", "Create and run a new container", run::command, run::run).fails_with(OWN_ERROR);
const PS: Verb = verb("ps", "List containers", ps::command, ps::run);
const RM: Verb = verb("rm", "Remove one or more containers", rm::command, rm::run);
const PAUSE: Verb = verb("pause", "Pause all processes of one or more containers", pause::command, pause::run);
const UNPAUSE: Verb = verb("unpause", "Let paused containers go on", pause::unpause_command, pause::run_unpause);
const STATS: Verb = verb("stats", "Show what containers use", stats::command, stats::run);
const INSPECT: Verb =
    verb("inspect", "Show all that is known about images and containers", inspect::command, inspect::run);
const COMMIT: Verb = verb("commit", "Make an image of what a container changed", commit::command, commit::run);
const DIFF: Verb = verb("diff", "Show what a container changed in its root", diff::command, diff::run);
const EXPORT: Verb = verb("export", "Write a container's root to an archive", export::command, export::run);
const IMAGES: Verb = verb("images", "List images", images::command, images::run);
const RMI: Verb = verb("rmi", "Remove one or more images", rmi::command, rmi::run);
const HISTORY: Verb = verb("history", "Show how an image came to be", history::command, history::run);
const TAG: Verb = verb("tag", "Give an image one more name", tag::command, tag::run);
const PULL: Verb = verb("pull", "Download an image from a registry", pull::command, pull::run);
const PUSH: Verb = verb("push", "Upload an image to a registry", push::command, push::run);
const SAVE: Verb = verb("save", "Write one or more images to an archive", save::command, save::run);
const LOAD: Verb = verb("load", "Read images from an archive", load::command, load::run);
const IMPORT: Verb = verb("import", "Make an image from a tar of a root file system", import::command, import::run);

/// One word each.
const VERBS: &[Verb] = &[
    RUN,
    PS,
    RM,
    PAUSE,
    UNPAUSE,
    STATS,
    IMAGES,
    HISTORY,
    TAG,
    RMI,
    INSPECT,
    IMPORT,
    COMMIT,
    DIFF,
    EXPORT,
    SAVE,
    LOAD,
    PULL,
    PUSH,
    verb("login", "Log in to a registry", login::command, login::run),
    verb("logout", "Log out from a registry", logout::command, logout::run),
    verb("search", "Search a registry for images", search::command, search::run),
];

/// Two words each.
const GROUPS: &[Group] = &[image::GROUP, container::GROUP, registry::GROUP];

/// Runs the command line of this process.
pub fn main(stages: &Stages) -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if let Err(status) = global::take(&mut arguments) {
        return status;
    }
    // `tinbox help run` is `tinbox run --help`.
    if arguments.len() > 2 && arguments[1] == "help" {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    Level { path: program(), verbs: VERBS, aliases: &[], groups: GROUPS, command: &command }.run(&arguments, stages)
}

fn command() -> Command {
    Command::new(program())
        .about("Run containers, and see how they are made")
        .version(env!("CARGO_PKG_VERSION"))
        .args(global::arguments())
        .after_help(
            "Examples:\n  \
             tinbox run --rm -it base              a shell in a container, without any image to fetch\n  \
             tinbox run --rm --explain base true   every kernel call that makes a container, with its reason\n  \
             tinbox import root.tar debian         an image from a root file system of yours\n\n\
             `tinbox VERB --help` tells more, with examples.",
        )
}
