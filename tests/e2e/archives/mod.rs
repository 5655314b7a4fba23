//! `save` and `load`: images as archives.
//!
//! | file         | what it is about                                                            |
//! |--------------|-----------------------------------------------------------------------------|
//! | `forms.rs`   | archives of all kinds that are around                                       |
//! | `saved.rs`   | what is written                                                             |
//! | `hostile.rs` | what is refused, and that nothing of it is left                             |
//! | `make.rs`    | archives made by hand                                                       |

mod forms;
mod hostile;
mod make;
mod saved;

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use crate::Test;
use crate::support::{Ended, Tinbox};

/// All of them.
pub fn tests() -> Vec<Test> {
    [forms::TESTS, saved::TESTS, hostile::TESTS].concat()
}

/// Loads an archive from a file.
fn load(tinbox: &Tinbox, archive: &[u8]) -> Ended {
    let file = tinbox.path("archive.tar");
    std::fs::write(&file, archive).unwrap();
    tinbox.tinbox(&format!("load -i {}", file.display()))
}

/// Loads an archive from a pipe.
fn load_piped(tinbox: &Tinbox, archive: &[u8]) -> Ended {
    let mut command = tinbox.command(["load"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have heard enough before the end.
    let _ = child.stdin.take().unwrap().write_all(archive);
    Ended::of(child.wait_with_output().unwrap())
}

/// The files in the store below this directory.
fn stored(tinbox: &Tinbox, dir: &str) -> Vec<PathBuf> {
    let dir = tinbox.path("images").join(dir);
    let mut files: Vec<_> = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// The full id of an image.
fn id(tinbox: &Tinbox, image: &str) -> String {
    let listed = tinbox.tinbox("images --no-trunc --format {{.Repository}}:{{.Tag}}={{.ID}}").ok();
    let line = listed.lines().find_map(|line| line.strip_prefix(&format!("{image}=")));
    line.unwrap_or_else(|| panic!("{image} is not among {listed}")).to_owned()
}
