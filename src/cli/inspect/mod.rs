//! `tinbox inspect`: all that is known about images and containers, as JSON of Docker's shape.

mod config;
pub mod container;
pub mod image;

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;

use anyhow::{Context, Error, Result, anyhow, bail};
use clap::{Arg, ArgMatches, Command};
use gotmpl::Value;
use images::Store;
use images::store::LookUpError;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::Stages;
use crate::cli::format::shape::{AsJson, Shape, fill};
use crate::cli::format::{self, Template, clean_for, from_json};
use crate::cli::options::{filled, flag, value};
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
            value("type", "container|image", "Look only for those [default: containers, then images]"),
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

/// What docker can look at. Here there are only the first two.
const TYPES: [&str; 10] =
    ["container", "image", "volume", "network", "node", "service", "plugin", "task", "secret", "config"];

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let state = State::open()?;
    let store = Store::open(&state.images());
    let kind = filled(matches, "type");
    if let Some(kind) = kind.filter(|kind| !TYPES.contains(kind)) {
        bail!("\"{kind}\" is not a valid value for --type");
    }
    let sizes = matches.get_flag("size");
    let look_up = |wanted: &str| {
        let container = || container::look_up(&state, &store, wanted, sizes);
        let image = || {
            let image = image::look_up(&store, wanted)?;
            if sizes {
                say!("WARNING: --size ignored for image");
            }
            Ok(image)
        };
        match kind {
            Some("container") => container(),
            Some("image") => image(),
            Some(other) => bail!("No such {other}: {wanted}"),
            None => match container() {
                Err(error) if error.is::<NoSuch>() => image().map_err(no_such_object),
                found => found,
            },
        }
    };
    match sizes {
        true => lent_ids::as_a_containers_root(&mut || show_all(matches, look_up)),
        false => show_all(matches, look_up),
    }
}

fn no_such_object(error: Error) -> Error {
    match error.downcast_ref() {
        Some(LookUpError::NoSuch(wanted)) => anyhow!("No such object: {wanted}"),
        _ => error,
    }
}

/// Something to be shown.
pub struct Document {
    /// For templates.
    value: Value,
    /// As JSON on one line.
    line: String,
    /// The same on many lines.
    lines: String,
}

impl Document {
    /// Of what is to be shown.
    pub fn of(shown: &impl Serialize) -> Result<Document> {
        Document::new(from_json(&serde_json::to_value(shown)?), shown)
    }

    /// Of one of Docker's structs.
    pub fn shaped(shown: &impl Serialize, shape: &Shape) -> Result<Document> {
        let value = fill(&serde_json::to_value(shown)?, shape);
        Document::new(value.clone(), &AsJson(&value))
    }

    fn new(value: Value, json: &impl Serialize) -> Result<Document> {
        let mut lines = Vec::new();
        json.serialize(&mut Serializer::with_formatter(&mut lines, PrettyFormatter::with_indent(b"    ")))?;
        let lines = String::from_utf8(lines).context("JSON is text")?;
        Ok(Document { value, line: serde_json::to_string(json)?, lines })
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
            there.iter().try_for_each(|document| print(&clean_for(terminal, template.apply(&document.value)?)))?;
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
