//! Names, links and kinds of members.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};

use nix::unistd::geteuid;

use super::{Place, assert_says, refusal};
use crate::test_tar::{Member, archive, dir, file, hard_link, long_name, pax, record, symlink};
use crate::tree::{flatten, remove_tree, xattrs_of};

#[test]
fn names_with_dots_are_refused() {
    for name in ["../outside", "a/../../outside", "..", "/../outside", "a/.."] {
        assert_says(&refusal(&[file(name, "harm")]), "points outside with `..`");
        assert_says(&refusal(&[dir(name)]), "points outside with `..`");
        assert_says(&refusal(&[file("a", ""), hard_link("b", name)]), "points outside with `..`");
    }
    let long = "a/".repeat(100) + "../../outside";
    assert_says(&refusal(&[long_name(long.as_bytes()), file("x", "harm")]), "points outside with `..`");
    let records = record("path", b"../../outside");
    assert_says(&refusal(&[pax(&records), file("x", "harm")]), "points outside with `..`");
}

#[test]
fn absolute_names_start_at_the_root_of_the_tree() {
    let place = Place::new();
    let outside = place.outside();
    let tree = place.accepts(&archive(&[file(outside.to_str().unwrap(), "inside")]));
    assert_eq!(fs::read_to_string(tree.join(outside.strip_prefix("/").unwrap())).unwrap(), "inside");
}

#[test]
fn symlinks_lead_nowhere_else() {
    let place = Place::new();
    let beside = place.temp.path().to_str().unwrap().to_owned();
    // Through a parent: outside of the tree there is no such directory.
    let error = place.refuses(&archive(&[symlink("out", &beside), file("out/outside", "harm")]));
    assert_says(&error, "no directory of this layer");
    let tree = place.accepts(&archive(&[symlink("up", "../../../../../../.."), file("up/outside", "harm")]));
    assert_eq!(fs::read_to_string(tree.join("outside")).unwrap(), "harm");
    // Through the name itself: it is replaced, not written through.
    let outside = place.outside();
    let target = outside.to_str().unwrap();
    let tree = place.accepts(&archive(&[symlink("f", target), file("f", "new"), symlink("d", &beside), dir("d")]));
    assert!(fs::symlink_metadata(tree.join("f")).unwrap().is_file());
    assert!(fs::symlink_metadata(tree.join("d")).unwrap().is_dir());
    // With the mode and the time that a directory gets in the end.
    let locked = Member { mode: 0o000, ..dir("d") };
    let before = fs::metadata(&beside).unwrap();
    let tree = place.accepts(&archive(&[locked, symlink("d", &beside)]));
    assert!(fs::symlink_metadata(tree.join("d")).unwrap().is_symlink());
    let locked = Member { mode: 0o000, ..dir("d") };
    let tree = place.accepts(&archive(&[dir("other"), locked, symlink("d", "other")]));
    assert_eq!(fs::metadata(tree.join("other")).unwrap().mode() & 0o777, 0o755);
    assert_eq!(fs::metadata(&beside).unwrap().mode(), before.mode());
}

#[test]
fn hard_links_lead_nowhere_else() {
    let place = Place::new();
    let outside = place.outside();
    let target = outside.to_str().unwrap();
    assert_says(&place.refuses(&archive(&[hard_link("h", target)])), "which is not there");
    let beside = place.temp.path().to_str().unwrap();
    assert_says(&place.refuses(&archive(&[symlink("s", beside), hard_link("h", "s/outside")])), "which is not there");
    assert_says(&place.refuses(&archive(&[hard_link("h", "nothing")])), "which is not there");
    assert_says(&place.refuses(&archive(&[hard_link("h", "h")])), "which is not there");
    // To a symlink: the link itself, and writing to it replaces it.
    let tree = place.accepts(&archive(&[symlink("s", target), hard_link("h", "s"), file("h", "new")]));
    assert_eq!(fs::read_to_string(tree.join("h")).unwrap(), "new");
    assert!(fs::symlink_metadata(tree.join("s")).unwrap().is_symlink());
}

#[test]
fn devices_are_made_by_root_and_left_out_for_others() {
    let place = Place::new();
    let node = |kind, path: &'static str| Member { kind, path: path.as_bytes(), device: (1, 3), ..Member::default() };
    let unpacked = place.unpack(&archive(&[node(b'3', "null"), node(b'4', "disk"), node(b'6', "fifo")])).unwrap();
    let tree = unpacked.tree;
    assert!(fs::symlink_metadata(tree.join("fifo")).unwrap().file_type().is_fifo());
    if geteuid().is_root() {
        let null = fs::symlink_metadata(tree.join("null")).unwrap();
        assert!(null.file_type().is_char_device() && null.rdev() == nix::sys::stat::makedev(1, 3));
        assert!(fs::symlink_metadata(tree.join("disk")).unwrap().file_type().is_block_device());
        assert_eq!(unpacked.skipped.warnings(), [""; 0]);
    } else {
        assert!(!tree.join("null").exists() && !tree.join("disk").exists());
        assert_eq!(unpacked.skipped.warnings(), ["left out 2 device node(s), which only root can make"]);
    }
}

#[test]
fn overlays_own_attributes_do_not_get_in() {
    let place = Place::new();
    let names =
        ["user.overlay.opaque", "user.overlay.redirect", "trusted.overlay.opaque", "security.selinux", "user.ok"];
    let records: Vec<u8> = names.iter().flat_map(|name| record(&format!("SCHILY.xattr.{name}"), b"y")).collect();
    let tree = place.accepts(&archive(&[pax(&records), dir("d")]));
    let kept = xattrs_of(fs::File::open(tree.join("d")).unwrap().as_fd()).unwrap();
    assert_eq!(kept, [(c"user.ok".to_owned(), b"y".to_vec())]);
}

#[test]
fn names_that_are_too_long_are_refused_and_shown_in_part() {
    let error = refusal(&[long_name(&[b'n'; 300]), file("x", "")]);
    assert_says(&error, "ENAMETOOLONG");
    let deep = "d/".repeat(4000);
    let error = refusal(&[long_name(deep.as_bytes()), file("x", "")]);
    assert_says(&error, "ENAMETOOLONG");
    assert!(error.len() < 1000, "{error}");
    let zero = record("path", b"a\0b");
    assert_says(&refusal(&[pax(&zero), file("x", "")]), "zero byte");
    assert_says(&refusal(&[Member { kind: b'2', path: b"s", ..Member::default() }]), "without a target");
}

#[test]
fn a_terminal_is_safe_from_names() {
    let error = refusal(&[file("\u{1b}[2Jcleared", ""), hard_link("\u{1b}[2Jcleared", "\u{7}bell")]);
    assert!(!error.contains(['\u{1b}', '\u{7}']), "{error:?}");
    assert_says(&error, "\\u{1b}[2Jcleared");
}

#[test]
fn a_tree_deeper_than_any_path_is_cleaned_up() {
    // 550 directories down, and from there by way of a symlink another 550: longer than a path may be, and deeper
    // than there are descriptors.
    let down = "dir/".repeat(550);
    let further = format!("link/{down}");
    let long_link = Member { kind: b'K', path: b"././@LongLink", content: down.as_bytes(), ..Member::default() };
    let mut members = vec![long_name(down.as_bytes()), dir("x"), long_link, symlink("link", "x")];
    members.extend([long_name(further.as_bytes()), dir("x")]);
    let place = Place::new();
    let tree = place.accepts(&archive(&members));
    let copy = place.temp.path().join("store/copy");
    flatten(std::slice::from_ref(&tree), &copy).unwrap();
    remove_tree(&copy).unwrap();
    remove_tree(tree.parent().unwrap()).unwrap();
    members.push(file("../outside", ""));
    place.refuses(&archive(&members));
}

#[test]
fn a_directory_is_not_replaced_with_what_is_in_it() {
    let place = Place::new();
    let error = place.refuses(&archive(&[file("d/f", ""), file("d", "")]));
    assert_says(&error, "ENOTEMPTY");
    assert_says(&place.refuses(&archive(&[file("f", ""), file("f/below", "")])), "ENOTDIR");
    assert_says(&place.refuses(&archive(&[file(".", "")])), "must be a directory");
}

#[test]
fn a_tree_that_locks_its_owner_out_is_made_and_removed() {
    let place = Place::new();
    let closed = |path| Member { mode: 0o000, ..dir(path) };
    let members = [closed("a"), closed("a/b"), file("a/b/f", "content"), closed("./")];
    let tree = place.accepts(&archive(&members));
    assert_eq!(fs::metadata(&tree).unwrap().permissions().mode() & 0o7777, 0);
    remove_tree(tree.parent().unwrap()).unwrap();
    assert!(!tree.exists());
    // And when it is refused in the middle.
    place.refuses(&archive(&[closed("a"), closed("a/b"), file("..", "")]));
}
