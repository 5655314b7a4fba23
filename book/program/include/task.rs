//! `{{#task 1.3}}`: the task of an exercise, from its folder.

use std::path::PathBuf;

use super::{is_plain_name, read};
use crate::course::Course;

/// The task, in a box, with a heading that can be linked to as `#exercise-1.3`.
pub(super) fn included(course: &Course, number: &str) -> Result<String, String> {
    let task = read(course, &folder(course, number)?.join("task.md"))?;
    let (heading, text) = task.split_once('\n').unwrap_or((&task, ""));
    let title = heading
        .strip_prefix(&format!("# {number} "))
        .ok_or_else(|| format!("the task of {number} does not start with `# {number} …`"))?;
    let text = text.trim();
    Ok(format!("<div class=\"task\">\n\n### Exercise {number}: {title} {{#exercise-{number}}}\n\n{text}\n\n</div>\n"))
}

/// `exercises/1.3-enter-root`
fn folder(course: &Course, number: &str) -> Result<PathBuf, String> {
    if !is_plain_name(number) {
        return Err(format!("{number:?} is not the number of an exercise"));
    }
    let exercises = course.repository().join("exercises");
    let entries = std::fs::read_dir(&exercises).map_err(|error| format!("read {}: {error}", exercises.display()))?;
    let begins = format!("{number}-");
    let is_it = |name: &str| name.starts_with(&begins);
    let found = entries.flatten().find(|entry| entry.file_name().to_str().is_some_and(is_it));
    found.map(|entry| entry.path()).ok_or_else(|| format!("there is no exercise {number}"))
}
