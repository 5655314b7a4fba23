//! What becomes of the store in bad times: killed at any moment, on a full disk, damaged, or waited for by many.

mod damaged;
mod full;
mod killed;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use images::Store;

use crate::Test;
use crate::support::Tinbox;

/// All of them.
pub fn tests() -> Vec<Test> {
    [killed::TESTS, full::TESTS, damaged::TESTS].concat()
}

fn store(tinbox: &Tinbox) -> Store {
    Store::open(&tinbox.path("images"))
}

/// A tar of a root with some files; `word` is what is in them.
fn archive(dir: &Path, word: &str) -> PathBuf {
    let tree = dir.join("tree");
    fs::create_dir_all(tree.join("some/where")).unwrap();
    (0..20)
        .for_each(|number| fs::write(tree.join(format!("some/where/{number}")), format!("{word} {number}")).unwrap());
    let tar = dir.join(format!("{word}.tar"));
    let made = Command::new("tar")
        .args(["--owner=0", "--group=0", "-C"])
        .arg(&tree)
        .arg("-cf")
        .arg(&tar)
        .arg(".")
        .status()
        .unwrap();
    assert!(made.success());
    tar
}

/// What the store holds besides its index and locks.
fn contents(tinbox: &Tinbox) -> Vec<PathBuf> {
    let dirs = ["images/blobs/sha256", "images/layers", "images/tmp"];
    let listed = |dir: &&str| fs::read_dir(tinbox.path(dir)).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut contents: Vec<PathBuf> = dirs.iter().flat_map(listed).collect();
    contents.sort();
    contents
}

/// Runs `tinbox ARGUMENTS` in peace.
fn must(tinbox: &Tinbox, arguments: &[&str], what: &str) {
    let output = tinbox.command(arguments).output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}
