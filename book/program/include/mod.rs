//! What pages ask for, put in from where it really is.
//!
//! A page has, on a line of its own, one of
//!
//! ```text
//! {{#code chapters/01-chroot/src/lib.rs:enter_root}}     code between named marks
//! {{#transcript chroot-escapes}}                         what commands said when a test ran them
//! {{#transcript chroot-escapes predict}}                 the same, with the answers folded
//! {{#task 1.3}}                                          an exercise
//! {{#figure pivot-root "what it shows, in words"}}       a drawing
//! ```
//!
//! What is not there fails the build, with the page and the line. A page cannot hold a transcript of its own: what
//! a shell is said to answer must have been answered.

mod code;
mod figure;
mod task;
#[cfg(test)]
mod tests;
mod transcript;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use mdbook_preprocessor::book::Book;
use mdbook_preprocessor::errors::Result;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::course::Course;
use crate::problem::{self, Problem};

/// The names of what the pages have put in.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Transcripts.
    pub transcripts: BTreeSet<String>,
    /// Figures.
    pub figures: BTreeSet<String>,
    /// How many pages there are.
    pub pages: usize,
}

/// The preprocessor.
pub struct Includes {
    /// Where everything is.
    pub course: Course,
    /// Filled while the book is built.
    pub used: Rc<RefCell<Used>>,
}

impl Preprocessor for Includes {
    fn name(&self) -> &str {
        "tinbox"
    }

    fn run(&self, _: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let mut problems = Vec::new();
        let mut used = self.used.borrow_mut();
        book.for_each_chapter_mut(|page| {
            let source = page.source_path.clone().unwrap_or_default();
            let file = self.course.shown(&self.course.pages().join(source));
            match expand(&self.course, &file, &page.content, &mut used) {
                Ok(text) => page.content = text,
                Err(more) => problems.extend(more),
            }
            used.pages += 1;
        });
        problem::none_of(problems)?;
        Ok(book)
    }
}

/// The text of a page with everything put in that it asks for. `file` is what problems name.
pub fn expand(course: &Course, file: &str, text: &str, used: &mut Used) -> std::result::Result<String, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut out = String::new();
    for (index, line) in text.lines().enumerate() {
        match put_in(course, line, used) {
            Ok(None) => out.push_str(line),
            Ok(Some(included)) => out.push_str(included.trim_end_matches('\n')),
            Err(words) => problems.push(Problem { file: file.to_owned(), line: Some(index + 1), words }),
        }
        out.push('\n');
    }
    if problems.is_empty() { Ok(out) } else { Err(problems) }
}

/// What stands for `line`, if it asks for something.
fn put_in(course: &Course, line: &str, used: &mut Used) -> std::result::Result<Option<String>, String> {
    if line.trim_start().starts_with("```console") || line.starts_with("$ ") {
        return Err("a transcript written by hand; {{#transcript …}} shows one that a test has run".into());
    }
    let Some(asked) = line.trim().strip_prefix("{{#").and_then(|rest| rest.strip_suffix("}}")) else {
        return if line.contains("{{#") {
            Err("what a page asks for has a line of its own: {{#code …}} and nothing else".into())
        } else {
            Ok(None)
        };
    };
    let (what, argument) = asked.split_once(' ').unwrap_or((asked, ""));
    let argument = argument.trim();
    let included = match what {
        "code" => code::included(course, argument),
        "transcript" => transcript::included(course, argument, used),
        "task" => task::included(course, argument),
        "figure" => figure::included(course, argument, used),
        other => Err(format!("there is no {{{{#{other}}}}}; there are code, transcript, task and figure")),
    };
    included.map(Some)
}

/// Reads a file of the repository, or says why not.
fn read(course: &Course, path: &std::path::Path) -> std::result::Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("read {}: {error}", course.shown(path)))
}

/// A name that stands for a file in one folder, and cannot lead elsewhere.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
        && !name.starts_with('.')
}

/// Text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
