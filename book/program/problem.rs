//! Something that is wrong with the book, and where.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, from the top of the repository.
    pub file: String,
    /// The line in it, where one is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub words: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.words),
            None => write!(f, "{}: {}", self.file, self.words),
        }
    }
}

/// Nothing if there are no problems; else an error that lists them.
pub fn none_of(mut problems: Vec<Problem>) -> anyhow::Result<()> {
    problems.sort();
    problems.dedup();
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    anyhow::ensure!(lines.is_empty(), "{}", lines.join("\nbook: "));
    Ok(())
}
