//! A temporary directory for tests that fill it with trees which even their owner cannot enter.

use std::path::Path;

use super::remove_tree;

/// Is gone when it is dropped, whatever is in it.
pub(super) struct TestDir(tempfile::TempDir);

impl TestDir {
    pub(super) fn new() -> TestDir {
        TestDir(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        remove_tree(self.path()).unwrap();
    }
}
