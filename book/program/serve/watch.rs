//! Noticing that something changed that the book is made of.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::{Context, Result};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::course::Course;

/// Editors and `git` write in several steps. When it has been quiet for this long, they are done.
const QUIET: Duration = Duration::from_millis(100);

/// Changes to what the book is made of.
pub struct Changes {
    course: Course,
    events: Receiver<notify::Result<notify::Event>>,
    _watcher: RecommendedWatcher,
}

impl Changes {
    /// Starts to watch.
    pub fn of(course: &Course) -> Result<Changes> {
        let (sender, events) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(sender).context("watch files")?;
        for folder in ["book", "chapters", "exercises"].map(|name| course.repository().join(name)) {
            let watching = watcher.watch(&folder, RecursiveMode::Recursive);
            watching.with_context(|| format!("watch {}", folder.display()))?;
        }
        Ok(Changes { course: course.clone(), events, _watcher: watcher })
    }

    /// Waits until something has changed, and says what: one file of those that have.
    pub fn wait(&self) -> Result<String> {
        loop {
            let event = self.events.recv().context("wait for a change")?;
            let Some(changed) = self.of_the_book(event) else { continue };
            while self.events.recv_timeout(QUIET).is_ok() {}
            return Ok(self.course.shown(&changed));
        }
    }

    fn of_the_book(&self, event: notify::Result<notify::Event>) -> Option<PathBuf> {
        let event = event.ok()?;
        if matches!(event.kind, EventKind::Access(_)) {
            return None;
        }
        let in_repository = |path: &PathBuf| path.strip_prefix(self.course.repository()).is_ok_and(matters);
        event.paths.into_iter().find(in_repository)
    }
}

/// Whether the book is made of this file.
fn matters(path: &Path) -> bool {
    let is = |extension: &str| path.extension().is_some_and(|found| found == extension);
    let below = |folder: &str| path.starts_with(folder);
    if below("book") {
        return path == Path::new("book/book.toml")
            || below("book/src") && is("md")
            || below("book/theme")
            || below("book/figures") && is("svg")
            || below("book/transcripts") && is("snap");
    }
    below("chapters") && is("rs") || below("exercises") && path.ends_with("task.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_book_is_made_of() {
        for path in [
            "book/src/introduction.md",
            "book/book.toml",
            "book/theme/tinbox.css",
            "book/transcripts/x.snap",
            "chapters/01-chroot/src/lib.rs",
            "exercises/1.3-enter-root/task.md",
        ] {
            assert!(matters(Path::new(path)), "{path}");
        }
        for path in [
            "book/html/index.html",
            "book/.book-x/new/index.html",
            "book/transcripts/x.snap.new",
            "exercises/mine/1.3-enter-root.rs",
            "book/src/.page.md.swp",
        ] {
            assert!(!matters(Path::new(path)), "{path}");
        }
    }
}
