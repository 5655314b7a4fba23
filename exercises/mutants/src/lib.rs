//! # Known answers
//!
//! A grader is only as good as the wrong answers that it tells apart. This package compiles every answer that is
//! known to every exercise: the starter and the reference, both cut from the chapters, and the typical mistakes in
//! `exercises/*/mutants/`. Its tests hold the graders to what those files say about themselves.
//!
//! A new wrong answer is a new file: its first line names the diagnosis that it must get.

/// A wrong answer.
#[derive(Debug)]
pub struct Mutant {
    /// The number of the exercise.
    pub exercise: &'static str,
    /// The name of its file.
    pub name: &'static str,
    /// What the grader must find.
    pub diagnosis: &'static str,
}

/// All wrong answers.
pub const ALL: &[Mutant] = include!(concat!(env!("OUT_DIR"), "/table.rs"));
