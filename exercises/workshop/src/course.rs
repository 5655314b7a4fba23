//! The exercises of this course, and where its files are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use catalog::Exercise;
use clap::{Arg, ArgMatches};

use crate::doctor::{self, Requirement};
use crate::mine::Mine;
use crate::progress::{Progress, Standing};

/// The top of the repository.
pub fn repository() -> PathBuf {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    built_in.ancestors().nth(2).unwrap_or(built_in).to_owned()
}

/// What the stand-in host needs, in which answers are called.
const STAND_IN: &[Requirement] =
    &[Requirement::KernelCalls, Requirement::UserNamespaces, Requirement::MountNamespaces, Requirement::NewProc];
/// And an answer that makes a cgroup.
const WITH_A_CGROUP: &[Requirement] = &[
    Requirement::KernelCalls,
    Requirement::OwnCgroup,
    Requirement::UserNamespaces,
    Requirement::MountNamespaces,
    Requirement::NewProc,
];
/// And an answer that stacks layers.
const WITH_LAYERS: &[Requirement] = &[
    Requirement::KernelCalls,
    Requirement::UserNamespaces,
    Requirement::MountNamespaces,
    Requirement::Overlays,
    Requirement::NewProc,
];
/// And an answer that lays layers out, or reads what was laid out.
const WITH_DELETIONS: &[Requirement] = &[
    Requirement::KernelCalls,
    Requirement::UserNamespaces,
    Requirement::MountNamespaces,
    Requirement::Deletions,
    Requirement::NewProc,
];
/// And an answer that changes users.
const WITH_OTHER_IDS: &[Requirement] = &[
    Requirement::KernelCalls,
    Requirement::OtherIds,
    Requirement::UserNamespaces,
    Requirement::MountNamespaces,
    Requirement::NewProc,
];

/// What `exercise` needs of a machine.
pub fn needs(exercise: &Exercise) -> &'static [Requirement] {
    match exercise.name {
        // They only compute, and are called where the grader is.
        "settings" | "chain_ids" => &[Requirement::KernelCalls],
        "confine" => WITH_A_CGROUP,
        "apply_layer" | "make_layer" => WITH_DELETIONS,
        "stack" => WITH_LAYERS,
        "drop_privileges" => WITH_OTHER_IDS,
        _ => STAND_IN,
    }
}

/// Each exercise with what it needs of a machine.
pub fn requirements() -> Vec<(&'static str, &'static [Requirement])> {
    catalog::ALL.iter().map(|exercise| (exercise.number, needs(exercise))).collect()
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

/// The one that the argument means; without it, the one that the learner is at.
pub fn one_or_current(arguments: &ArgMatches, mine: &Mine) -> Result<&'static Exercise> {
    match one(arguments)? {
        Some(exercise) => Ok(exercise),
        None => current(mine)?.context("all exercises have passed; name one"),
    }
}

/// The exercise whose file was saved last, of those that have not passed; if none is begun, the next one.
fn current(mine: &Mine) -> Result<Option<&'static Exercise>> {
    let progress = Progress::load(mine)?;
    let mut begun = Vec::new();
    for exercise in &catalog::ALL {
        if !matches!(progress.standing(mine, exercise)?, Standing::Passed | Standing::NotStarted) {
            begun.push((mine.saved(exercise)?, exercise));
        }
    }
    match begun.into_iter().max_by_key(|(saved, _)| *saved) {
        Some((_, exercise)) => Ok(Some(exercise)),
        None => next(mine),
    }
}

/// The exercise to do next: the one whose file was saved last, if that has not passed, else the one [`after`] it.
pub fn next(mine: &Mine) -> Result<Option<&'static Exercise>> {
    let mut saved = Vec::new();
    for exercise in catalog::ALL.iter().filter(|exercise| mine.has(exercise)) {
        saved.push((mine.saved(exercise)?, exercise));
    }
    let last = saved.into_iter().max_by_key(|(saved, _)| *saved).map(|(_, exercise)| exercise);
    after(mine, last.unwrap_or(&catalog::ALL[0]))
}

/// What to do when `exercise` is done: the first in the order of [`from`] that has not passed and that this machine can
/// check. If it can check none of them, the first.
pub fn after(mine: &Mine, exercise: &Exercise) -> Result<Option<&'static Exercise>> {
    let progress = Progress::load(mine)?;
    let mut open = Vec::new();
    for exercise in from(exercise) {
        if progress.standing(mine, exercise)? != Standing::Passed {
            open.push(exercise);
        }
    }
    let possible = open.iter().find(|exercise| doctor::blocked_by(needs(exercise)).is_none());
    Ok(possible.or(open.first()).copied())
}

/// All exercises as they come for somebody who is at `here`: that one, the rest of its chapter, what is earlier in the
/// chapter, later chapters, earlier ones. Who begins in the middle of the course is not sent back to its beginning.
fn from(here: &Exercise) -> Vec<&'static Exercise> {
    let is_after = |exercise: &Exercise| exercise.number > here.number;
    let distance = |exercise: &&Exercise| match (exercise.chapter() == here.chapter(), is_after(exercise)) {
        _ if *exercise == here => 0,
        (true, true) => 1,
        (true, false) => 2,
        (false, true) => 3,
        (false, false) => 4,
    };
    let mut all: Vec<_> = catalog::ALL.iter().collect();
    all.sort_by_key(distance);
    all
}

/// The same as [`one`] where clap has made sure that it is given.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_is_finished_before_another_is_begun() {
        let numbers = |here: &str| from(catalog::select(here)[0]).iter().map(|e| e.number).collect::<Vec<_>>();
        let last = catalog::ALL[catalog::ALL.len() - 1].number;
        assert_eq!(numbers("2.2")[..5], ["2.2", "2.3", "2.1", "3.1", "3.2"]);
        assert_eq!(numbers("2.2")[catalog::ALL.len() - 5..], [last, "0.1", "1.1", "1.2", "1.3"]);
    }
}
