//! `tinbox run`: creates a container, runs it in the foreground, and passes on its exit status.

mod image;
mod namespaces;
mod sandbox;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command};
use images::Store;

use crate::Stages;
use crate::cli::options::{flag, text, texts, value, values};
use crate::container::{self, Options, Source};
use crate::say::program;
use crate::state::State;

/// Arguments, as `docker run` has them.
pub fn command() -> Command {
    Command::new("run")
        .disable_help_flag(true)
        .args([
            flag("rm", "Remove the container and what it wrote when it ends"),
            flag("interactive", "Pass on standard input").short('i'),
            flag("tty", "Give the container a terminal").short('t'),
            values("env", "KEY[=VALUE]", "Set a variable, or pass on one of yours").short('e'),
            value("workdir", "DIR", "Directory to start in").short('w'),
            value("user", "USER[:GROUP]", "User to run as, by name or number, as the image knows it").short('u'),
            value("hostname", "NAME", "The container's host name [default: its id]").short('h'),
            value("name", "NAME", "Name for the container [default: one is made up]"),
            value("entrypoint", "COMMAND", "What comes first in the command, instead of the image's own entrypoint"),
            values("label", "KEY[=VALUE]", "Say something about the container").short('l'),
            value("stop-signal", "SIGNAL", "What it wants to be ended with"),
        ])
        .next_help_heading("Which image")
        .args(image::arguments())
        .next_help_heading("What it sees")
        .args(namespaces::arguments())
        .next_help_heading("What it gets")
        .args(cgroups::options::arguments())
        .next_help_heading("What it may do")
        .args(sandbox::arguments())
        .next_help_heading("Options")
        .args([
            Arg::new("help").long("help").help("Print this help").action(ArgAction::Help),
            // One argument for both: whatever comes after the image is the command's, options included.
            Arg::new("image")
                .value_name("IMAGE [CMD]")
                .help("The image (`base` is always there), and what to run instead of its own command")
                .num_args(1..)
                .trailing_var_arg(true)
                .required(true),
        ])
        .override_usage(format!("{} run [OPTIONS] IMAGE [CMD]...", program()))
        .after_help(HELP)
}

const HELP: &str = "\
The image `base` (in full: tinbox/base) needs no network and no set-up. It is made on first use from what this \
machine has: a static busybox if there is one, else the machine's own shell and core tools with the libraries that \
they need.

Exit status: that of the command; 125 if Tinbox itself fails, 126 if the command cannot be run, 127 if it is not \
there, 128 + N if signal N ended it. Signals that Tinbox gets are passed on; the third INT or TERM kills.

Examples:
  tinbox run --rm -it base                     a shell
  tinbox run --rm base ps                      it sees only itself
  tinbox run --rm -e GREETING=hi base env      its variables
  echo hello | tinbox run --rm -i base wc -c   in a pipe
  tinbox run --rm -m 64m --cpus 0.5 base sh    with limits
  tinbox run --rm --network host base ip addr  with the machine's network
  tinbox run --rm --explain base true          what the kernel was asked to do";

/// Does it.
pub fn run(matches: &ArgMatches, stages: &Stages) -> Result<ExitCode> {
    let owned = |name: &str| text(matches, name).map(str::to_owned);
    let options = Options {
        remove: matches.get_flag("rm"),
        interactive: matches.get_flag("interactive"),
        tty: matches.get_flag("tty"),
        env: texts(matches, "env"),
        workdir: owned("workdir"),
        user: owned("user"),
        hostname: owned("hostname"),
        name: owned("name"),
        command: texts(matches, "image").split_off(1),
        entrypoint: owned("entrypoint"),
        labels: texts(matches, "label"),
        stop_signal: owned("stop-signal"),
        init: matches.get_flag("init"),
        namespaces: namespaces::read(matches)?,
        limits: cgroups::options::limits(matches),
        confinement: sandbox::read(matches)?,
    };
    let wanted = text(matches, "image").context("IMAGE is missing")?;
    let state = State::open()?;
    let store = Store::open(&state.images());
    let hold = store.hold()?;
    let image = image::find(&store, wanted, matches, stages)?;
    let from = Source { store: &store, image: &image, name: wanted, hold };
    let status = container::run(&state, from, &options, stages)?;
    Ok(ExitCode::from(status))
}
