//! `tinbox inspect`: all that is known about images and containers, as JSON of Docker's shape.

mod config;
pub mod container;
pub mod image;

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;

use anyhow::{Context, Error, Result, anyhow};
use clap::{Arg, ArgMatches, Command};
use images::Store;
use images::store::LookUpError;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::Stages;
use crate::cli::format::{self, Template, clean_for};
use crate::cli::options::flag;
use crate::container::NoSuch;
use crate::lent_ids;
use crate::say::{print, say};
use crate::state::State;

/// Arguments, as `docker inspect` has them.
pub fn command() -> Command {
    Command::new("inspect")
        .args([
            format_argument(),
            flag("size", "Count what containers wrote").short('s'),
            Arg::new("type")
                .long("type")
                .value_name("TYPE")
                .help("Look only for those [default: containers, then images]")
                .value_parser(["container", "image"]),
            names(),
        ])
        .after_help(
            "One list for all of them; what is not there is said on standard error, and in the exit status.\n\nExamples:\n  \
             tinbox inspect web\n  \
             tinbox inspect --type image alpine\n  \
             tinbox inspect -f '{{.State.ExitCode}}' web\n  \
             tinbox inspect -f '{{json .Config.Env}}' alpine\n  \
             tinbox inspect -f '{{range .RootFS.Layers}}{{println .}}{{end}}' alpine\n  \
             tinbox inspect -f '{{index .Config.Labels \"version\"}}' alpine",
        )
}

/// `--format`, for one thing each.
pub fn format_argument() -> Arg {
    Arg::new("format").long("format").short('f').value_name("FORMAT").help("Print `json`, or a Go template for each")
}

/// The argument that says what to look at.
pub fn names() -> Arg {
    Arg::new("name").value_name("NAME|ID").help("Names, ids, or beginnings of ids").num_args(1..).required(true)
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let state = State::open()?;
    let store = Store::open(&state.images());
    let kind = matches.get_one::<String>("type").map(String::as_str);
    let sizes = matches.get_flag("size");
    let look_up = |wanted: &str| {
        let container = || container::look_up(&state, &store, wanted, sizes);
        match kind {
            Some("container") => container(),
            Some(_) => image::look_up(&store, wanted),
            None => match container() {
                Err(error) if error.is::<NoSuch>() => image::look_up(&store, wanted).map_err(no_such_object),
                found => found,
            },
        }
    };
    match sizes {
        true => lent_ids::as_root_of_lent_ids(&mut || show_all(matches, look_up)),
        false => show_all(matches, look_up),
    }
}

fn no_such_object(error: Error) -> Error {
    match error.downcast_ref() {
        Some(LookUpError::NoSuch(wanted)) => anyhow!("No such object: {wanted}"),
        _ => error,
    }
}

/// Something as JSON.
pub struct Document {
    value: Value,
    /// On one line, fields in Docker's order.
    line: String,
    /// The same on many lines.
    lines: String,
}

impl Document {
    /// Of what is to be shown.
    pub fn of(shown: &impl Serialize) -> Result<Document> {
        let mut lines = Vec::new();
        shown.serialize(&mut Serializer::with_formatter(&mut lines, PrettyFormatter::with_indent(b"    ")))?;
        let lines = String::from_utf8(lines).context("JSON is text")?;
        Ok(Document { value: serde_json::to_value(shown)?, line: serde_json::to_string(shown)?, lines })
    }
}

/// Looks up each that is asked for with `look_up`, and prints those that are there as `--format` says, or as one list.
/// Those that are not are said after that.
pub fn show_all(matches: &ArgMatches, look_up: impl Fn(&str) -> Result<Document>) -> Result<ExitCode> {
    let format = format::given(matches);
    let template = format.filter(|format| *format != "json").map(Template::parse).transpose()?;
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for wanted in matches.get_many::<String>("name").into_iter().flatten() {
        look_up(wanted).map_or_else(|error| missing.push(error), |document| there.push(document));
    }
    let terminal = stdout().is_terminal();
    match (&template, format) {
        (Some(template), _) => {
            there.iter().try_for_each(|document| print(&template.apply_to_json(&document.value, terminal)?))?;
        }
        (None, Some(_)) => there.iter().try_for_each(|document| print(&clean_for(terminal, document.line.clone())))?,
        (None, None) => print(&clean_for(terminal, list(&there)))?,
    }
    missing.iter().for_each(|error| say!("Error: {error:#}"));
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// No text in JSON goes over the end of a line, so lines can be moved in.
fn list(documents: &[Document]) -> String {
    let moved_in = |document: &Document| format!("    {}", document.lines.replace('\n', "\n    "));
    match documents {
        [] => "[]".to_owned(),
        some => format!("[\n{}\n]", some.iter().map(moved_in).collect::<Vec<_>>().join(",\n")),
    }
}
