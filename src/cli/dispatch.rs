//! From the arguments of a process to a verb, and from a mistake in them to words.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, ArgMatches, Command};

use crate::Stages;
use crate::cli::{explain, options};
use crate::container::OWN_ERROR;
use crate::say::{print, say};

/// A verb of the command line.
pub struct Verb {
    pub name: &'static str,
    pub about: &'static str,
    pub command: fn() -> Command,
    pub run: fn(&ArgMatches, &Stages) -> anyhow::Result<ExitCode>,
    /// The status of an error. What does not pass on a container's status uses 1, as docker does.
    pub on_error: u8,
}

/// A verb whose errors have status 1.
pub const fn verb(
    name: &'static str,
    about: &'static str,
    command: fn() -> Command,
    run: fn(&ArgMatches, &Stages) -> anyhow::Result<ExitCode>,
) -> Verb {
    Verb { name, about, command, run, on_error: 1 }
}

impl Verb {
    /// The same verb by another name.
    pub const fn renamed(self, name: &'static str) -> Verb {
        Verb { name, ..self }
    }

    /// The same verb, whose errors have this status.
    pub const fn fails_with(self, status: u8) -> Verb {
        Verb { on_error: status, ..self }
    }
}

/// An error that was said already, by a process that did the work: only a status is left of it.
#[derive(Debug, thiserror::Error)]
#[error("it failed, as was said")]
pub struct Said;

/// Verbs that are asked for by two words: `tinbox image ls`.
pub struct Group {
    pub name: &'static str,
    pub about: &'static str,
    pub verbs: &'static [Verb],
    /// Other names of verbs.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Shown below the list of its verbs.
    pub help: &'static str,
}

/// Where verbs are looked for: `tinbox` itself, or a group.
pub struct Level<'a> {
    /// What was typed so far.
    pub path: &'a str,
    pub verbs: &'a [Verb],
    /// Other names of verbs.
    pub aliases: &'a [(&'a str, &'a str)],
    pub groups: &'a [Group],
    /// What describes it, without its verbs.
    pub command: &'a dyn Fn() -> Command,
}

impl Level<'_> {
    /// Runs the verb that `arguments` ask for. The first is the name that this level was called by.
    pub fn run(&self, arguments: &[OsString], stages: &Stages) -> ExitCode {
        let typed = arguments.get(1).and_then(|name| name.to_str()).unwrap_or_default();
        let name = self.aliases.iter().find(|(alias, _)| *alias == typed).map_or(typed, |(_, name)| *name);
        if let Some(verb) = self.verbs.iter().find(|verb| verb.name == name) {
            return self.execute(verb, &arguments[1..], stages);
        }
        let Some(group) = self.groups.iter().find(|group| group.name == name) else { return self.overview(arguments) };
        let path = format!("{} {}", self.path, group.name);
        let command = || Command::new(group.name).bin_name(&path).about(group.about).after_help(group.help);
        Level { path: &path, verbs: group.verbs, aliases: group.aliases, groups: &[], command: &command }
            .run(&arguments[1..], stages)
    }

    fn execute(&self, verb: &Verb, arguments: &[OsString], stages: &Stages) -> ExitCode {
        let path = format!("{} {}", self.path, verb.name);
        let described = || describe(verb).arg(explain::argument()).bin_name(&path);
        let mut command = described();
        let matches = match command.try_get_matches_from_mut(arguments) {
            Ok(matches) => matches,
            Err(error) if error.kind() == ErrorKind::DisplayHelp => return help(described()),
            Err(error) => return refuse(&error, &command, &path),
        };
        explain::begin(&matches);
        (verb.run)(&matches, stages).unwrap_or_else(|error| {
            if !error.is::<Said>() {
                say!("tinbox: {error:#}");
            }
            ExitCode::from(verb.on_error)
        })
    }

    /// It without a verb, with `--help`, or with a verb that is not there.
    fn overview(&self, arguments: &[OsString]) -> ExitCode {
        let verbs = self.verbs.iter().map(|verb| Command::new(verb.name).about(verb.about));
        let groups = self.groups.iter().map(|group| Command::new(group.name).about(group.about));
        let mut command = (self.command)().subcommand_required(true).subcommands(verbs.chain(groups));
        if arguments.len() < 2 {
            return match print(command.render_help().to_string().trim_end()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            };
        }
        match command.try_get_matches_from_mut(arguments) {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => match named(&error, ContextKind::InvalidSubcommand) {
                Some(unknown) => self.unknown(&unknown, named(&error, ContextKind::SuggestedSubcommand)),
                None => refuse(&error, &command, self.path),
            },
        }
    }

    fn unknown(&self, typed: &str, similar: Option<String>) -> ExitCode {
        let names = self.verbs.iter().map(|verb| verb.name).chain(self.groups.iter().map(|group| group.name));
        let names = names.collect::<Vec<_>>().join(", ");
        say!("tinbox: there is no command '{}', or not yet: there are {names}", typed.escape_debug());
        // Few mistakes are in the first letter.
        if let Some(similar) = similar.filter(|similar| similar.chars().next() == typed.chars().next()) {
            say!("  help: did you mean `{} {similar}`?", self.path);
        }
        ExitCode::FAILURE
    }
}

/// Prints what `--help` prints.
fn help(command: Command) -> ExitCode {
    let name = command.get_name().to_owned();
    match command.mut_args(options::for_help).try_get_matches_from([&name, "--help"]) {
        Err(help) if help.print().is_err() => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Prints help as help, and a mistake as an error. `whole` is what was typed up to where the mistake may be.
///
/// The statuses are docker's: 1 for too many words or too few, 125 for options.
fn refuse(error: &clap::Error, command: &Command, whole: &str) -> ExitCode {
    if !error.use_stderr() {
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    let (kind, argument) = (error.kind(), named(error, ContextKind::InvalidArg));
    let option = argument.as_ref().is_some_and(|argument| argument.starts_with('-'));
    let counted = [
        ErrorKind::UnknownArgument,
        ErrorKind::MissingRequiredArgument,
        ErrorKind::TooManyValues,
        ErrorKind::TooFewValues,
        ErrorKind::WrongNumberOfValues,
    ];
    match argument {
        _ if !option && counted.contains(&kind) => {
            say!("tinbox: \"{whole}\" {}", count(command));
            let usage = command.clone().render_usage().to_string();
            say!("  help: {}", usage.trim_start_matches("Usage: "));
            return ExitCode::FAILURE;
        }
        // What is not known is not meant as a word of the command, as clap would have it.
        Some(unknown) if kind == ErrorKind::UnknownArgument => {
            let unknown = unknown.escape_debug();
            say!("tinbox: {unknown}: `{whole}` has no such option, or not yet");
            let similar = named(error, ContextKind::SuggestedArg);
            let similar = similar.map(|option| format!("; there is {option}")).unwrap_or_default();
            say!("  help: `{whole} --help` lists those that it has{similar}");
        }
        _ => drop(error.print()),
    }
    ExitCode::from(OWN_ERROR)
}

/// What the error says about this; of several, the last, which is the most likely.
fn named(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::Strings(several) => several.last().cloned(),
        one => Some(one.to_string()),
    }
}

/// How many words a verb takes, as docker says it.
fn count(command: &Command) -> String {
    let (mut least, mut most) = (0_usize, 0_usize);
    for argument in command.get_positionals() {
        let count = argument.get_num_args().unwrap_or_default();
        least += if argument.is_required_set() { count.min_values().max(1) } else { 0 };
        most = most.saturating_add(count.max_values());
    }
    let arguments = |number: usize| if number == 1 { "1 argument".to_owned() } else { format!("{number} arguments") };
    match (least, most) {
        (0, 0) => "accepts no arguments.".to_owned(),
        (least, most) if least == most => format!("requires exactly {}.", arguments(least)),
        (least, usize::MAX) => format!("requires at least {}.", arguments(least)),
        (0, most) => format!("requires at most {}.", arguments(most)),
        (least, most) => format!("requires at least {least} and at most {}.", arguments(most)),
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
