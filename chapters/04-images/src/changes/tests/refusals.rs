//! What cannot be said in a layer.

use std::fs::{self, File};

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, mkdirat};

use super::*;
use crate::test_dir::TestDir;

fn error_of(dir: &Path) -> String {
    format!("{:#}", layer_of(dir).expect_err("it must be refused"))
}

#[test]
fn what_a_layer_cannot_say_is_refused() {
    let temp = TestDir::new();
    let dir = temp.path();
    fs::write(dir.join(".wh.passwd"), "").unwrap();
    assert!(error_of(dir).contains(".wh.passwd: a layer cannot hold this"), "{}", error_of(dir));
    let mut whole = TreeWalk::whole(dir).unwrap();
    let entry = whole.next_entry().unwrap().unwrap();
    LayerWriter::flat(&mut Vec::new()).put(&entry, &whole).unwrap();

    fs::rename(dir.join(".wh.passwd"), dir.join("half")).unwrap();
    note(&dir.join("half"), "metacopy", "");
    assert!(error_of(dir).contains("half: an overlay with metacopy=on"), "{}", error_of(dir));
    fs::remove_file(dir.join("half")).unwrap();
    fs::create_dir(dir.join("moved")).unwrap();
    note(&dir.join("moved"), "redirect", &"/elsewhere".repeat(30));
    assert!(error_of(dir).contains("moved: this directory was renamed"), "{}", error_of(dir));
}

#[test]
fn a_path_that_nobody_could_unpack_is_refused() {
    let temp = TestDir::new();
    let name = "n".repeat(200);
    let mut here = File::open(temp.path()).unwrap();
    for _ in 0..30 {
        mkdirat(&here, name.as_str(), Mode::S_IRWXU).unwrap();
        let below = openat(&here, name.as_str(), OFlag::O_DIRECTORY, Mode::empty());
        here = below.unwrap().into();
    }
    let error = error_of(temp.path());
    assert!(error.contains("its path has") && error.len() < 1000, "{error}");
    let mut upper = TreeWalk::whole(temp.path()).unwrap();
    let mut count = 0;
    while upper.next_entry().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 30);
}
