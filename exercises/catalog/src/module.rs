//! The source of a module that holds many answers and finds one by exercise and name.
//!
//! Packages `answers`, `mutants` and `runtime` have build scripts that write this module.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::{Exercise, cut};

/// The environment variable that says where the learner's files are.
pub const MINE: &str = "TINBOX_MINE";
/// The environment variable with the numbers of the exercises whose answers are to be the learner's: `0.1,1.3`.
pub const ANSWERS: &str = "TINBOX_ANSWERS";
/// The same for the runtime.
pub const SEAMS: &str = "TINBOX_SEAMS";

/// For a build script: the learner's file for each exercise that the environment variable `listed` names, or,
/// where it is not set, for each that is there if `all` says so.
pub fn learners(repository: &Path, listed: &str, all: bool) -> Vec<Entry> {
    println!("cargo::rerun-if-env-changed={MINE}");
    println!("cargo::rerun-if-env-changed={listed}");
    let mine = std::env::var_os(MINE).map_or_else(|| repository.join("exercises/mine"), PathBuf::from);
    let chosen = std::env::var(listed).ok();
    let mut entries = Vec::new();
    for exercise in &crate::ALL {
        let file = mine.join(exercise.file());
        let wanted = match &chosen {
            Some(numbers) => numbers.split(',').any(|number| number == exercise.number),
            None => all && file.exists(),
        };
        if wanted {
            println!("cargo::rerun-if-changed={}", file.display());
            entries.push(Entry { exercise, name: "yours".into(), file });
        }
    }
    entries
}

/// One answer to one exercise.
#[derive(Debug)]
pub struct Entry {
    /// The exercise that it answers.
    pub exercise: &'static Exercise,
    /// What it is called: `yours`, `reference`, or the name of a wrong answer.
    pub name: String,
    /// Its source.
    pub file: PathBuf,
}

/// The source of modules `answer0`, `answer1`, … with the answers, and of a function that finds one:
/// `fn answer(number: &str, name: &str) -> Option<subject::Answer>`.
///
/// Learners meet the compiler's errors, but not its advice on style. One warning is worth their time: a call
/// whose failure they forgot to look at.
pub fn source(entries: &[Entry]) -> String {
    let mut source = modules(entries);
    source += "/// Finds an answer by the number of its exercise and by its name.\n\
               pub fn answer(number: &str, name: &str) -> Option<subject::Answer> {\n    match (number, name) {\n";
    for (index, Entry { exercise, name, .. }) in entries.iter().enumerate() {
        let Exercise { number, name: function, variant, .. } = exercise;
        let _ = writeln!(
            source,
            "        ({number:?}, {name:?}) => Some(subject::Answer::{variant}(answer{index}::{function})),"
        );
    }
    source + "        _ => None,\n    }\n}\n"
}

/// The source of the same modules, and of a table of stages for the runtime with them in it:
/// `fn stages() -> tinbox::Stages`. What is not among `entries` is the chapters' own.
pub fn stages(entries: &[Entry]) -> String {
    let mut source = modules(entries);
    source += "/// The stages of a start, some of them the learner's.\n#[allow(clippy::needless_update)]\n\
               pub fn stages() -> tinbox::Stages {\n    tinbox::Stages {\n";
    for (index, entry) in entries.iter().enumerate() {
        let name = entry.exercise.name;
        let _ = writeln!(source, "        {name}: answer{index}::{name},");
    }
    source + "        ..tinbox::Stages::reference()\n    }\n}\n"
}

fn modules(entries: &[Entry]) -> String {
    let mut source = String::new();
    for (index, entry) in entries.iter().enumerate() {
        let _ = write!(
            source,
            "#[allow(missing_docs, dead_code, unreachable_code, unused_imports, unused_variables, unused_mut)]\n\
             #[allow(clippy::all, clippy::undocumented_unsafe_blocks, clippy::needless_pass_by_value)]\n\
             #[allow(clippy::semicolon_if_nothing_returned)]\n#[path = {:?}]\nmod answer{index};\n",
            entry.file.display().to_string()
        );
    }
    source
}

/// What of an exercise's reference to write down.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// What a learner starts with.
    Starter,
    /// All of it.
    Solution,
}

/// Cuts `part` of `exercise` out of the reference into a file in `directory`, and says where that is. Tells cargo
/// to run the build script again when the reference changes.
pub fn write(part: Part, exercise: &Exercise, repository: &Path, directory: &Path) -> Result<PathBuf, String> {
    let reference = repository.join(exercise.reference);
    println!("cargo::rerun-if-changed={}", reference.display());
    let text = std::fs::read_to_string(&reference).map_err(|e| format!("read {}: {e}", reference.display()))?;
    let (kind, text) = match part {
        Part::Starter => ("starter", cut::starter(exercise, &text)?),
        Part::Solution => ("solution", cut::solution(exercise, &text)?),
    };
    let file = directory.join(format!("{kind}-{}", exercise.file()));
    std::fs::write(&file, text).map_err(|e| format!("write {}: {e}", file.display()))?;
    Ok(file)
}
