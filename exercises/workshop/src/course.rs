//! The exercises of this course, and where its files are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use catalog::Exercise;
use clap::{Arg, ArgMatches};

use crate::doctor::Requirement;

/// The top of the repository.
pub fn repository() -> PathBuf {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    built_in.ancestors().nth(2).unwrap_or(built_in).to_owned()
}

/// Each exercise with what it needs of a machine: all are checked in the same stand-in host.
pub fn requirements() -> Vec<(&'static str, &'static [Requirement])> {
    const STAND_IN: &[Requirement] =
        &[Requirement::KernelCalls, Requirement::UserNamespaces, Requirement::MountNamespaces, Requirement::NewProc];
    catalog::ALL.iter().map(|exercise| (exercise.number, STAND_IN)).collect()
}

/// The argument `N`.
pub fn argument() -> Arg {
    Arg::new("exercise").value_name("N").help("The exercise: a number (1.3) or a name (enter_root)")
}

/// The exercises that the argument means; none without it.
pub fn several(arguments: &ArgMatches) -> Result<Vec<&'static Exercise>> {
    let Some(selector) = arguments.get_one::<String>("exercise") else { return Ok(Vec::new()) };
    let found = catalog::select(selector);
    if found.is_empty() {
        let known: Vec<_> = catalog::ALL.iter().map(|e| format!("{} {}", e.number, e.name)).collect();
        bail!("there is no exercise {selector}; there are {}", known.join(", "));
    }
    Ok(found)
}

/// The one exercise that the argument means, if it is given.
pub fn one(arguments: &ArgMatches) -> Result<Option<&'static Exercise>> {
    let found = several(arguments)?;
    if found.len() > 1 {
        let numbers: Vec<_> = found.iter().map(|e| e.number).collect();
        bail!("a single exercise is needed here: one of {}", numbers.join(", "));
    }
    Ok(found.first().copied())
}

/// The same where clap has made sure that it is given.
pub fn required(arguments: &ArgMatches) -> Result<&'static Exercise> {
    one(arguments)?.context("the exercise is missing")
}

/// Reads a file of an exercise, such as `task.md`.
pub fn read(exercise: &Exercise, file: &str) -> Result<String> {
    read_file(&exercise.folder(&repository()).join(file))
}

/// Reads the chapter's source that holds the reference.
pub fn reference(exercise: &Exercise) -> Result<String> {
    read_file(&repository().join(exercise.reference))
}

fn read_file(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}
