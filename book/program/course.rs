//! Where the things are that the book is made of.

use std::path::{Path, PathBuf};

/// The repository of the course.
#[derive(Debug, Clone)]
pub struct Course {
    repository: PathBuf,
}

impl Course {
    /// The one that this program was built in.
    pub fn here() -> Course {
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
        Course::at(built_in.parent().unwrap_or(built_in))
    }

    /// The one whose top is `repository`.
    pub fn at(repository: &Path) -> Course {
        Course { repository: repository.to_owned() }
    }

    /// The top of the repository.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// What mdBook calls the root of the book: where `book.toml` is.
    pub fn book(&self) -> PathBuf {
        self.repository.join("book")
    }

    /// The pages.
    pub fn pages(&self) -> PathBuf {
        self.book().join("src")
    }

    /// The insta snapshots of transcripts.
    pub fn transcripts(&self) -> PathBuf {
        self.book().join("transcripts")
    }

    /// The drawings.
    pub fn figures(&self) -> PathBuf {
        self.book().join("figures")
    }

    /// Where the book is built to, unless somebody says otherwise.
    pub fn html(&self) -> PathBuf {
        self.book().join("html")
    }

    /// `path` as people write it: from the top of the repository.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.repository).unwrap_or(path).display().to_string()
    }
}
