//! From the arguments of a process to a verb, and from a mistake in them to words.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{ArgAction, ArgMatches, Command};
use colored::Colorize;

use crate::Stages;
use crate::cli::explain;
use crate::say::say;

/// Status of Tinbox's own errors, as `docker run` has it.
pub const OWN_ERROR: u8 = 125;

/// A verb of the command line.
pub struct Verb {
    pub name: &'static str,
    pub about: &'static str,
    pub command: fn() -> Command,
    pub run: fn(&ArgMatches, &Stages) -> anyhow::Result<ExitCode>,
    /// The status of an error. What does not pass on a container's status uses 1, as docker does.
    pub on_error: u8,
}

/// Verbs that are asked for by two words: `tinbox image ls`.
pub struct Group {
    pub name: &'static str,
    pub about: &'static str,
    pub verbs: &'static [Verb],
    /// Shown below the list of its verbs.
    pub help: &'static str,
}

/// Where verbs are looked for: `tinbox` itself, or a group.
pub struct Level<'a> {
    /// What was typed so far.
    pub path: &'a str,
    pub verbs: &'a [Verb],
    pub groups: &'a [Group],
    /// What describes it, without its verbs.
    pub command: &'a dyn Fn() -> Command,
}

impl Level<'_> {
    /// Runs the verb that `arguments` ask for. The first is the name that this level was called by.
    pub fn run(&self, arguments: &[OsString], stages: &Stages) -> ExitCode {
        let name = arguments.get(1).and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(verb) = self.verbs.iter().find(|verb| verb.name == name) {
            return self.execute(verb, &arguments[1..], stages);
        }
        let Some(group) = self.groups.iter().find(|group| group.name == name) else { return self.overview(arguments) };
        let path = format!("{} {}", self.path, group.name);
        let command = || Command::new(group.name).bin_name(&path).about(group.about).after_help(group.help);
        Level { path: &path, verbs: group.verbs, groups: &[], command: &command }.run(&arguments[1..], stages)
    }

    fn execute(&self, verb: &Verb, arguments: &[OsString], stages: &Stages) -> ExitCode {
        let path = format!("{} {}", self.path, verb.name);
        let command = describe(verb).arg(explain::argument()).bin_name(&path);
        let matches = match command.try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(error) => return self.refuse(&error, &path, verb.on_error),
        };
        explain::begin(&matches);
        (verb.run)(&matches, stages).unwrap_or_else(|error| {
            say!("{} {error:#}", "tinbox:".red());
            ExitCode::from(verb.on_error)
        })
    }

    /// It without a verb, with `--help`, or with a verb that is not there.
    fn overview(&self, arguments: &[OsString]) -> ExitCode {
        let verbs = self.verbs.iter().map(|verb| Command::new(verb.name).about(verb.about));
        let groups = self.groups.iter().map(|group| Command::new(group.name).about(group.about));
        let command = (self.command)().subcommand_required(true).arg_required_else_help(true);
        match command.subcommands(verbs.chain(groups)).try_get_matches_from(arguments) {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => self.refuse(&error, self.path, OWN_ERROR),
        }
    }

    /// Prints help as help, and a mistake as an error. `whole` is what was typed up to where the mistake may be.
    fn refuse(&self, error: &clap::Error, whole: &str, status: u8) -> ExitCode {
        let named = |kind| error.get(kind).map(ToString::to_string);
        match (named(ContextKind::InvalidSubcommand), named(ContextKind::InvalidArg), named(ContextKind::SuggestedArg))
        {
            (Some(unknown), _, _) => {
                let names = self.verbs.iter().map(|verb| verb.name).chain(self.groups.iter().map(|group| group.name));
                let names = names.collect::<Vec<_>>().join(", ");
                say!("{} there is no command '{unknown}', or not yet: there are {names}", "tinbox:".red());
            }
            // What is not known is not meant as a word of the command, as clap would have it.
            (None, Some(unknown), similar) if error.kind() == ErrorKind::UnknownArgument => {
                say!("{} {unknown}: `{whole}` has no such option, or not yet", "tinbox:".red());
                let similar = similar.map(|option| format!("; there is {option}")).unwrap_or_default();
                say!("  help: `{whole} --help` lists those that it has{similar}");
            }
            _ => drop(error.print()),
        }
        if error.use_stderr() { ExitCode::from(status) } else { ExitCode::SUCCESS }
    }
}

/// An option that is given twice counts as it was given last, as in docker.
fn describe(verb: &Verb) -> Command {
    (verb.command)().about(verb.about).mut_args(|argument| {
        let id = argument.get_id().clone();
        let once = matches!(argument.get_action(), ArgAction::Set | ArgAction::SetTrue) && !argument.is_positional();
        if once { argument.overrides_with(id) } else { argument }
    })
}
