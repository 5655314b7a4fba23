//! The source of a module that holds many answers and finds one by exercise and name.
//!
//! Packages `answers`, `mutants` and `runtime` have build scripts that write this module.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::{Exercise, cut};

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

/// The modules alone.
pub fn modules(entries: &[Entry]) -> String {
    let mut source = String::new();
    for (index, entry) in entries.iter().enumerate() {
        let _ = write!(
            source,
            "#[allow(unused, missing_docs, clippy::all, clippy::undocumented_unsafe_blocks)]\n\
             #[allow(clippy::needless_pass_by_value, clippy::semicolon_if_nothing_returned)]\n\
             #[warn(unused_must_use)]\n#[path = {:?}]\nmod answer{index};\n",
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
