//! Copying layers as one tree.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};

use super::Layers;
use super::attributes::{listing, sample};
use crate::test_tar::{Member, dir, file, hard_link};
use crate::{flatten, remove_tree};

#[test]
fn a_copy_of_one_layer_is_like_the_original() {
    let mut layers = Layers::new();
    layers.add_archive(&sample()).unwrap();
    let tree = layers.tree();
    // A file that even its owner may not read is for root of a user namespace to copy.
    let readable = fs::Permissions::from_mode(0o4755);
    fs::set_permissions(tree.join("program"), readable).unwrap();
    let sparse = fs::File::create(tree.join("sparse")).unwrap();
    sparse.write_all_at(b"end", 10 << 20).unwrap();
    let copy = layers.temp.path().join("copy");
    assert_eq!(flatten(&layers.trees, &copy).unwrap(), [""; 0]);
    assert_eq!(listing(&copy), listing(tree));
    assert!(fs::metadata(copy.join("sparse")).unwrap().blocks() * 512 < 1 << 20, "holes must stay holes");
    assert!(flatten(&layers.trees, &copy).unwrap_err().to_string().contains("EEXIST"));
    assert_eq!(listing(&copy), listing(tree), "a copy that is refused must leave what is there");
    remove_tree(&copy).unwrap();
    assert!(!copy.exists());
    remove_tree(&copy).unwrap();
}

#[test]
fn the_highest_layer_says_what_a_directory_is() {
    let with = |mode| Member { mode, mtime: 1000 + u64::from(mode), ..dir("d") };
    let layers = Layers::of(&[
        &[with(0o700), file("d/one", "1"), hard_link("d/link", "d/one")],
        &[with(0o750), file("d/two", "2")],
        &[with(0o711)],
    ]);
    let flat = layers.flat();
    let stat = fs::metadata(flat.join("d")).unwrap();
    assert_eq!((stat.mode() & 0o7777, stat.mtime()), (0o711, 1000 + 0o711));
    assert_eq!(layers.shows(), "d/ d/link=1 d/one=1 d/two=2");
    let inode = |path: &str| fs::metadata(flat.join(path)).unwrap().ino();
    let flat = layers.flat();
    assert_eq!(inode("d/link"), fs::metadata(flat.join("d/one")).unwrap().ino());
}

#[test]
fn a_copy_that_fails_leaves_nothing() {
    let layers = Layers::of(&[&[file("f", "")]]);
    let to = layers.temp.path().join("copy");
    let missing = [layers.trees.clone(), vec![layers.temp.path().join("missing")]].concat();
    let error = flatten(&missing, &to).unwrap_err().to_string();
    assert!(error.contains("missing: ENOENT"), "{error}");
    assert!(!to.exists());
}
