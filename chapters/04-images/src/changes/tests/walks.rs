//! The walk through a tree that somebody is changing.

use std::fs;
use std::path::Path;

use super::*;
use crate::Kind;
use crate::test_dir::TestDir;

#[test]
fn a_file_is_read_while_it_is_the_last_entry_and_not_later() {
    let temp = TestDir::new();
    fs::write(temp.path().join("a"), "").unwrap();
    fs::write(temp.path().join("b"), "").unwrap();
    let mut upper = TreeWalk::whole(temp.path()).unwrap();
    let first = upper.next_entry().unwrap().unwrap();
    upper.next_entry().unwrap();
    let error = LayerWriter::new(&mut Vec::new()).put(&first, &upper).unwrap_err();
    assert!(format!("{error:#}").contains("until the next entry"), "{error:#}");
}

#[test]
fn a_directory_that_is_moved_away_does_not_lead_out() {
    let temp = TestDir::new();
    fs::write(temp.path().join("z"), "outside").unwrap();
    let (top, out) = (temp.path().join("top"), temp.path().join("out"));
    fs::create_dir_all(top.join("a/b/c")).unwrap();
    fs::create_dir(&out).unwrap();
    for file in ["a/b/c/file", "a/z", "z"] {
        fs::write(top.join(file), "inside").unwrap();
    }
    let mut upper = TreeWalk::whole(&top).unwrap();
    let mut paths = Vec::new();
    while let Some(entry) = upper.next_entry().unwrap() {
        if let Kind::File { size, .. } = entry.kind {
            assert_eq!(size, 6, "{} is not inside", entry.path.display());
        }
        if entry.path == Path::new("a/b/c/file") {
            fs::rename(top.join("a/b/c"), out.join("c")).unwrap();
        }
        paths.push(entry.path.display().to_string());
    }
    assert_eq!(paths, ["a", "a/b", "a/b/c", "a/b/c/file", "a/z", "z"]);

    // And one that is gone from where it was, with the walk below it.
    fs::rename(out.join("c"), top.join("a/b/c")).unwrap();
    fs::write(top.join("a/b/z"), "inside").unwrap();
    let mut upper = TreeWalk::whole(&top).unwrap();
    let mut paths = Vec::new();
    while let Some(entry) = upper.next_entry().unwrap() {
        if entry.path == Path::new("a/b/c/file") {
            fs::rename(top.join("a/b/c"), out.join("c")).unwrap();
            fs::rename(top.join("a/b"), out.join("b")).unwrap();
        }
        paths.push(entry.path.display().to_string());
    }
    assert_eq!(paths, ["a", "a/b", "a/b/c", "a/b/c/file", "a/z", "z"]);
}

#[test]
fn what_is_to_be_skipped_is() {
    let temp = TestDir::new();
    fs::create_dir_all(temp.path().join("etc/below")).unwrap();
    fs::create_dir(temp.path().join("etcetera")).unwrap();
    let mut upper = TreeWalk::whole(temp.path()).unwrap();
    upper.skip(vec!["etc".into(), "missing".into()]);
    assert_eq!(upper.next_entry().unwrap().unwrap().path, Path::new("etcetera"));
    assert!(upper.next_entry().unwrap().is_none());
}

#[test]
fn several_names_of_one_file_are_told_by_the_first() {
    let temp = TestDir::new();
    fs::create_dir(temp.path().join("dir")).unwrap();
    fs::write(temp.path().join("dir/z"), "content").unwrap();
    fs::hard_link(temp.path().join("dir/z"), temp.path().join("second")).unwrap();
    let mut upper = TreeWalk::whole(temp.path()).unwrap();
    let mut kinds = Vec::new();
    while let Some(entry) = upper.next_entry().unwrap() {
        kinds.push(entry.kind);
    }
    assert!(
        matches!(&kinds[..], [Kind::Directory, Kind::File { size: 7, .. }, Kind::HardLink(first)] if first == Path::new("dir/z"))
    );
}
