//! A temporary directory for tests that fill it with trees which even their owner cannot enter; and a process of its own
//! for those that need one.

use std::path::Path;
use std::process::Command;

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

/// Runs the test `name`, which is ignored otherwise, in a process of its own; with a mount namespace of its own, too.
pub(super) fn alone(name: &str, with_mounts: bool) {
    let own = std::env::current_exe().unwrap();
    let mut command = if with_mounts { Command::new("unshare") } else { Command::new(&own) };
    if with_mounts {
        let user: &[&str] = if nix::unistd::geteuid().is_root() { &[] } else { &["--user", "--map-root-user"] };
        command.args(user).args(["--mount", "--propagation=private", "--"]).arg(&own);
    }
    let output = command.args(["--exact", "--ignored", "--nocapture", name]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
