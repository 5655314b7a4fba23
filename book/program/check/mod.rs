//! Whether the book is whole: that it builds is one half, that nothing is left over is the other.

mod html;
pub mod links;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};

use crate::building;
use crate::course::Course;
use crate::problem::{self, Problem};

/// Builds the book where it is thrown away, and looks for transcripts and figures that no page shows. The answer is
/// the number of pages.
pub fn whole(course: &Course) -> Result<usize> {
    let dest = building::scratch()?;
    let used = building::build(course, dest.path())?;
    let mut problems = unused(course, &course.transcripts(), "snap", &used.transcripts)?;
    problems.extend(unused(course, &course.figures(), "svg", &used.figures)?);
    problem::none_of(problems)?;
    Ok(used.pages)
}

/// Files in `folder` that end in `extension` and are not among `used`.
fn unused(course: &Course, folder: &Path, extension: &str, used: &BTreeSet<String>) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry.with_context(|| format!("read {}", folder.display()))?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if path.extension().is_some_and(|found| found == extension) && !used.contains(name) {
            problems.push(Problem { file: course.shown(&path), line: None, words: "no page shows this".into() });
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_no_page_shows_is_a_problem() {
        let repository = tempfile::tempdir().unwrap();
        let course = Course::at(repository.path());
        for folder in [course.pages(), course.transcripts(), course.figures()] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(course.pages().join("SUMMARY.md"), "- [Page](page.md)\n").unwrap();
        fs::write(course.pages().join("page.md"), "# Page\n\n{{#transcript shown}}\n").unwrap();
        fs::write(course.transcripts().join("shown.snap"), "---\nsource: x\n---\n$ true\n").unwrap();
        assert_eq!(whole(&course).unwrap(), 1);
        fs::write(course.transcripts().join("forgotten.snap"), "").unwrap();
        fs::write(course.figures().join("forgotten.svg"), "").unwrap();
        let error = whole(&course).unwrap_err().to_string();
        let (figure, transcript) = error.split_once('\n').unwrap();
        assert_eq!(transcript, "book: book/transcripts/forgotten.snap: no page shows this");
        assert_eq!(figure, "book/figures/forgotten.svg: no page shows this");
    }
}
