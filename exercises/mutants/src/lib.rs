//! # Known answers
//!
//! A grader is only as good as the wrong answers that it tells apart. This package compiles every answer that is
//! known to every exercise: the starter and the reference, both cut from the chapters, the typical mistakes in
//! `exercises/*/mutants/`, and in `also-right/` what is right although it is done differently. Its tests hold the
//! graders to what those files say about themselves.
//!
//! A new wrong answer is a new file: its first line names the diagnosis that it must get.

/// An answer whose diagnosis is known.
#[derive(Debug)]
pub struct Known {
    /// The number of the exercise.
    pub exercise: &'static str,
    /// The name of its file.
    pub name: &'static str,
    /// What the grader must find: an id, or `pass`.
    pub diagnosis: &'static str,
}

/// All of them.
pub const ALL: &[Known] = include!(concat!(env!("OUT_DIR"), "/table.rs"));
