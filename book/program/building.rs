//! From pages to HTML files.

use std::cell::RefCell;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use mdbook_driver::MDBook;
use tempfile::TempDir;

use crate::check::links;
use crate::course::Course;
use crate::include::{Includes, Used};
use crate::problem::{self, Problem};
use crate::warnings;

/// Stands in every directory that holds a book and may be replaced by a newer one.
const MARK: &str = ".tinbox-book";

/// Builds the book into the empty directory `dest`, and makes sure that no link in it leads nowhere. The answer is
/// what the pages have used.
pub fn build(course: &Course, dest: &Path) -> Result<Used> {
    let used = Rc::new(RefCell::new(Used::default()));
    let includes = Includes { course: course.clone(), used: Rc::clone(&used) };
    let (built, warned) = warnings::collected(|| -> Result<()> {
        let mut book = MDBook::load(course.book())?;
        book.config.build.build_dir = std::path::absolute(dest)?;
        book.with_preprocessor(includes);
        book.build()
    });
    built?;
    let of_mdbook = |words| Problem { file: course.shown(&course.pages()), line: None, words };
    let mut problems: Vec<Problem> = warned.into_iter().map(of_mdbook).collect();
    problems.extend(links::broken(course, dest)?);
    problem::none_of(problems)?;
    fs::write(dest.join(MARK), "").with_context(|| format!("write {}", dest.join(MARK).display()))?;
    Ok(used.take())
}

/// Builds the book, and puts it at `dest` when it is whole: a build that fails leaves what is there as it is.
pub fn build_into(course: &Course, dest: &Path) -> Result<()> {
    let dest = std::path::absolute(dest).with_context(|| format!("find {}", dest.display()))?;
    may_replace(&dest)?;
    let beside = dest.parent().context("the root directory cannot hold a book")?;
    fs::create_dir_all(beside).with_context(|| format!("make {}", beside.display()))?;
    // On the same file system, so that it can be renamed.
    let draft = tempfile::Builder::new().prefix(".book-").tempdir_in(beside);
    let draft = draft.with_context(|| format!("make a directory in {}", beside.display()))?;
    let (new, old) = (draft.path().join("new"), draft.path().join("old"));
    fs::create_dir(&new).with_context(|| format!("make {}", new.display()))?;
    build(course, &new)?;
    swap(&dest, &new, &old).with_context(|| format!("put the book in {}", dest.display()))
}

fn swap(dest: &Path, new: &Path, old: &Path) -> std::io::Result<()> {
    match fs::rename(dest, old) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(new, dest)
}

/// A book may be put where nothing is, and in place of another book. Anything else stays.
fn may_replace(dest: &Path) -> Result<()> {
    let mut entries = match fs::read_dir(dest) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("read {}", dest.display()))?,
    };
    ensure!(
        entries.next().is_none() || dest.join(MARK).exists(),
        "{} holds something that is no book, and would be replaced: name a new directory",
        dest.display()
    );
    Ok(())
}

/// A directory that is gone when it is dropped.
pub fn scratch() -> Result<TempDir> {
    tempfile::Builder::new().prefix("tinbox-book-").tempdir().context("make a temporary directory")
}
