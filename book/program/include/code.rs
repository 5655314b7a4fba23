//! `{{#code FILE:NAME}}`: the lines between `// ANCHOR: NAME` and `// ANCHOR_END: NAME`.
//!
//! The marks themselves are left out, and so are those by which the exercises know what a learner is to write.

use std::path::{Component, Path};

use super::read;
use crate::course::Course;

const MARKS: [&str; 4] = ["ANCHOR", "ANCHOR_END", "SOLUTION", "SOLUTION_END"];

/// The code, below the name of its file.
pub(super) fn included(course: &Course, argument: &str) -> Result<String, String> {
    let (file, name) = argument.split_once(':').ok_or("say which code as FILE:NAME")?;
    let inside = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err(format!("{file} is not a path from the top of the repository"));
    }
    let source = read(course, &course.repository().join(file))?;
    let code = between_marks(&source, name).map_err(|problem| format!("{file}: {problem}"))?;
    let fence = "`".repeat(longest_run_of_backticks(&code).max(2) + 1);
    let language = if file.ends_with(".rs") { "rust" } else { "text" };
    Ok(format!(
        "<div class=\"listing\">\n<p class=\"source\">{file} <span>{name}</span></p>\n\n\
         {fence}{language}\n{code}{fence}\n\n</div>\n"
    ))
}

/// The lines of the anchor `name`, without indentation that all have.
fn between_marks(source: &str, name: &str) -> Result<String, String> {
    let mut inside = false;
    let mut known = Vec::new();
    let mut lines: Option<Vec<&str>> = None;
    for line in source.lines() {
        match mark(line) {
            Some(("ANCHOR", anchor)) => {
                known.push(anchor);
                if anchor == name {
                    if lines.is_some() {
                        return Err(format!("the anchor {name} is there twice"));
                    }
                    inside = true;
                    lines = Some(Vec::new());
                }
            }
            Some(("ANCHOR_END", anchor)) if anchor == name => inside = false,
            Some(_) => {}
            None if inside => lines.get_or_insert_default().push(line),
            None => {}
        }
    }
    let Some(lines) = lines else {
        return Err(format!("there is no anchor {name}; there are: {}", known.join(" ")));
    };
    if inside {
        return Err(format!("the anchor {name} has no end"));
    }
    let depth = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().filter(|line| !line.trim().is_empty()).map(depth).min().unwrap_or(0);
    Ok(lines.iter().map(|line| format!("{}\n", line.get(common..).unwrap_or_default())).collect())
}

/// `// ANCHOR: name` as `("ANCHOR", "name")`.
fn mark(line: &str) -> Option<(&str, &str)> {
    let comment = line.trim().strip_prefix("// ")?;
    let (word, name) = comment.split_once(": ").unwrap_or((comment, ""));
    MARKS.contains(&word).then_some((word, name))
}

fn longest_run_of_backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
