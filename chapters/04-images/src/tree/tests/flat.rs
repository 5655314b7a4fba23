//! Copying layers as one tree.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::Layers;
use super::attributes::{listing, sample};
use crate::test_dir::alone;
use crate::test_tar::{Member, dir, file, hard_link, symlink};
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

#[test]
fn overlayfs_shows_the_same() {
    alone("tree::tests::flat::as_overlayfs_shows_it", true);
}

#[test]
#[ignore = "run by overlayfs_shows_the_same"]
fn as_overlayfs_shows_it() {
    let private = || Member { mode: 0o2750, mtime: 1000, ..dir("d") };
    let base = [private(), file("d/a", "1"), dir("d/deep"), file("d/deep/b", "2"), file("f", "3"), symlink("l", "d")];
    let opaque = |name| file(name, "");
    for above in [
        vec![file(".wh.f", ""), file("d/.wh.deep", "")],
        vec![file(".wh.d", ""), file("d/n", "4")],
        vec![dir("d"), file(".wh.d", ""), file("f/n", "4")],
        vec![opaque("d/.wh..wh..opq"), file("d/deep/n", "4"), hard_link("d/link", "f")],
        vec![opaque(".wh..wh..opq"), file("d/n", "4"), file("l", "5")],
        vec![file("d/deep/n", "4"), file("d/m/n/o", "5"), hard_link("e", "l")],
    ] {
        let layers = Layers::of(&[&base, &above, &[file("z", "")]]);
        let [target, upper, work] = ["merged", "upper", "work"].map(|name| layers.temp.path().join(name));
        [&target, &upper, &work].iter().for_each(|path| fs::create_dir(path).unwrap());
        let lower: Vec<_> = layers.trees.iter().rev().map(|tree| tree.to_str().unwrap()).collect();
        let own = if namespaces::identity::is_the_machines_root() { "" } else { ",userxattr" };
        let (upper, work) = (upper.display(), work.display());
        let options = format!("lowerdir={},upperdir={upper},workdir={work}{own}", lower.join(":"));
        mount(Some("overlay"), &target, Some("overlay"), MsFlags::empty(), Some(options.as_str())).unwrap();
        let shown = without_inodes(&target);
        umount2(&target, MntFlags::MNT_DETACH).unwrap();
        assert_eq!(without_inodes(&layers.flat()), shown, "{}", layers.shows());
    }
}

/// What is in a tree, but for its root, which is the container's, and what a link count is: overlayfs has its own idea.
fn without_inodes(tree: &Path) -> Vec<String> {
    let lines = listing(tree).into_iter().filter(|(path, _)| !path.is_empty());
    let plain = |text: String| {
        let (front, rest) = text.split_once(" inode ").unwrap();
        format!("{front}{}", rest.split_once("names: ").unwrap().1)
    };
    lines.map(|(path, text)| format!("{} {}", path.display(), plain(text))).collect()
}
