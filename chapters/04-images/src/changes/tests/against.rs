//! Changes against what was there before.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::*;
use crate::changes::{ChangeKind, Lower, differences};
use crate::test_dir::TestDir;

/// An image of two layers: the upper one deletes `gone`, and shows nothing of what is below in `hidden`.
fn image(dir: &Path) -> [PathBuf; 2] {
    let layers = [dir.join("bottom"), dir.join("top")];
    let [bottom, top] = &layers;
    fs::create_dir_all(bottom.join("etc/deep/er")).unwrap();
    fs::create_dir_all(bottom.join("hidden/below")).unwrap();
    for file in ["etc/passwd", "etc/group", "etc/deep/er/file", "gone", "same", "hidden/below/file"] {
        fs::write(bottom.join(file), "as it was").unwrap();
    }
    fs::hard_link(bottom.join("same"), bottom.join("twin")).unwrap();
    fs::create_dir_all(top.join("hidden/new")).unwrap();
    note(&top.join("hidden"), "opaque", "y");
    whiteout(&top.join("gone"));
    layers
}

fn told(upper: &mut TreeWalk, layers: &[PathBuf]) -> Vec<String> {
    let told = differences(upper, &mut Lower::open(layers).unwrap()).unwrap();
    told.iter()
        .map(|difference| {
            let kind = match difference.kind {
                ChangeKind::Added => 'A',
                ChangeKind::Changed => 'C',
                ChangeKind::Deleted => 'D',
            };
            format!("{kind} {}", difference.path.display())
        })
        .collect()
}

#[test]
fn differences_are_against_what_was_seen() {
    let temp = TestDir::new();
    let layers = image(temp.path());
    let upper = temp.path().join("upper");
    fs::create_dir_all(upper.join("etc")).unwrap();
    fs::create_dir_all(upper.join("hidden/below")).unwrap();
    fs::create_dir_all(upper.join("etc-")).unwrap();
    fs::write(upper.join("etc/passwd"), "").unwrap();
    fs::write(upper.join("gone"), "").unwrap();
    whiteout(&upper.join("etc/group"));
    whiteout(&upper.join("never"));
    fs::create_dir(upper.join("etc/deep")).unwrap();
    note(&upper.join("etc/deep"), "opaque", "y");
    let expected = [
        "C etc",
        "A etc-",
        "C etc/deep",
        "D etc/deep/er",
        "D etc/group",
        "C etc/passwd",
        "A gone",
        "C hidden",
        "A hidden/below",
    ];
    assert_eq!(told(&mut TreeWalk::upper(&upper, rootless()).unwrap(), &layers), expected);
}

#[test]
fn a_copy_is_compared_with_what_it_is_a_copy_of() {
    let temp = TestDir::new();
    let layers = image(temp.path());
    let copy = temp.path().join("copy");
    crate::flatten(&layers, &copy).unwrap();
    let compared = || TreeWalk::changed_from(&copy, &layers).unwrap();
    assert_eq!(told(&mut compared(), &layers), [""; 0]);

    fs::write(copy.join("etc/passwd"), "another").unwrap();
    fs::remove_file(copy.join("etc/group")).unwrap();
    fs::remove_dir_all(copy.join("etc/deep/er")).unwrap();
    fs::set_permissions(copy.join("hidden/new"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::hard_link(copy.join("same"), copy.join("triplet")).unwrap();
    set_xattr(&copy.join("hidden"), "user.note", "new");
    let expected = [
        "C etc",
        "C etc/deep",
        "D etc/deep/er",
        "D etc/group",
        "C etc/passwd",
        "C hidden",
        "C hidden/new",
        "A triplet",
    ];
    assert_eq!(told(&mut compared(), &layers), expected);

    // The layer on top of the image is the copy again.
    let mut layer = Vec::new();
    let mut writer = LayerWriter::new(&mut layer);
    make_layer(&mut compared(), &mut writer).unwrap();
    writer.finish().unwrap();
    let (third, again) = (temp.path().join("third"), temp.path().join("again"));
    unpacked(&layer, &third);
    let [bottom, top] = layers;
    crate::flatten(&[bottom, top, third], &again).unwrap();
    let without_links = |tree: &Path| {
        let listing = listing(tree).into_iter().filter(|(path, _)| !path.starts_with("triplet"));
        let times_and_inodes = |said: String| if said.starts_with('4') { said[..5].to_owned() } else { said };
        listing.map(|(path, said)| (path, times_and_inodes(said))).collect::<Vec<_>>()
    };
    assert_eq!(fs::read(again.join("triplet")).unwrap(), b"as it was");
    let numbers = |tree: &Path| fs::metadata(tree.join("same")).unwrap().nlink();
    assert_eq!((numbers(&copy), numbers(&again)), (3, 2), "what is below is not linked to");
    let inode = |said: &str| said.split(" inode ").next().unwrap_or_default().to_owned();
    let plain =
        |tree: &Path| without_links(tree).into_iter().map(|(path, said)| (path, inode(&said))).collect::<Vec<_>>();
    assert_eq!(plain(&again), plain(&copy));
}

#[test]
fn nothing_outside_is_below() {
    let temp = TestDir::new();
    let layers = image(temp.path());
    let mut below = Lower::open(&layers).unwrap();
    assert!(below.find(Path::new("etc/passwd")).unwrap().is_some());
    for path in ["../bottom/etc", "etc/../../bottom", "..", "", "etc/passwd/x", "gone", "hidden/below", "gone/x"] {
        assert!(below.find(Path::new(path)).unwrap().is_none(), "{path}");
    }
    assert!(below.find(&Path::new("etc").join("n".repeat(300)).join("x")).unwrap().is_none());
    assert!(below.find(Path::new("etc/deep/er/file")).unwrap().is_some());
}
