//! What a layer leaves open, and the layers below say.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::geteuid;

use super::Layers;
use crate::test_tar::{Member, archive, dir, file, hard_link, long_name, pax, record, symlink};
use crate::tree::{remove_tree, xattrs_of};

/// Owner, mode, time and attributes.
fn said(path: &Path) -> (u32, u32, i64, usize) {
    let stat = fs::metadata(path).unwrap();
    let xattrs = xattrs_of(fs::File::open(path).unwrap().as_fd()).unwrap();
    (stat.uid(), stat.mode() & 0o7777, stat.mtime(), xattrs.len())
}

fn owner(uid: u32) -> u32 {
    if geteuid().is_root() { uid } else { geteuid().as_raw() }
}

#[test]
fn a_directory_that_is_not_described_is_what_it_is_below() {
    let records = record("SCHILY.xattr.user.note", b"x");
    let private = || Member { mode: 0o2750, owner: (7, 8), mtime: 1000, ..dir("a/b") };
    let base = [Member { mode: 0o700, mtime: 2000, ..dir("") }, dir("a"), pax(&records), private()];
    let layers = Layers::of(&[&base, &[file("a/b/new/f", "")], &[file("a/b/new/g", ""), file("other/h", "")]]);
    for tree in &layers.trees[1..] {
        assert_eq!(said(&tree.join("a/b")), (owner(7), 0o2750, 1000, 1));
        assert_eq!(said(&tree.join("a/b/new")).1, 0o755);
        assert_eq!((said(tree).1, said(tree).2), (0o700, 2000));
    }
    assert_eq!(said(&layers.tree().join("other")).1, 0o755);
    assert_eq!(said(&layers.flat().join("a/b")), (owner(7), 0o2750, 1000, 1));
}

#[test]
fn the_highest_layer_that_has_it_counts_and_what_is_deleted_does_not() {
    let with = |mode| Member { mode, ..dir("a") };
    let mut layers = Layers::of(&[&[with(0o700), file("a/x", "")], &[with(0o711)], &[file("b", "")]]);
    layers.add(&[file("a/f", "")]);
    assert_eq!(said(&layers.tree().join("a")).1, 0o711);
    // Deleted in a layer between.
    layers.add(&[file(".wh.a", "")]);
    layers.add(&[file("a/f", "")]);
    assert_eq!(said(&layers.tree().join("a")).1, 0o755);
    // Deleted by the same layer, before and after.
    layers.add(&[with(0o700)]);
    layers.add(&[file(".wh.a", ""), file("a/g", "")]);
    assert_eq!(said(&layers.tree().join("a")).1, 0o755);
    layers.add(&[with(0o700)]);
    layers.add(&[file("a/g", ""), file(".wh.a", "")]);
    assert_eq!(said(&layers.tree().join("a")).1, 0o755);
    // Only emptied: it is still the same directory.
    layers.add(&[with(0o700), dir("a/in")]);
    layers.add(&[file("a/.wh..wh..opq", ""), file("a/in/g", "")]);
    assert_eq!(said(&layers.tree().join("a")).1, 0o700);
    assert_eq!(layers.shows(), "a/ a/in/ a/in/g= b=");
}

#[test]
fn a_directory_that_is_described_after_all_is_as_described() {
    let base = [Member { mode: 0o700, ..dir("a") }];
    let layers = Layers::of(&[&base, &[file("a/f", ""), Member { mode: 0o751, ..dir("a") }]]);
    assert_eq!(said(&layers.tree().join("a")).1, 0o751);
}

#[test]
fn a_directory_below_a_file_or_a_link_is_a_new_one() {
    let base = [file("f", ""), symlink("l", "d"), Member { mode: 0o700, ..dir("d") }];
    let layers = Layers::of(&[&base, &[file("f/x", ""), file("l/y", "")]]);
    assert_eq!(layers.shows(), "d/ f/ f/x= l/ l/y=");
    assert_eq!(said(&layers.tree().join("l")).1, 0o755);
}

#[test]
fn a_hard_link_may_lead_to_a_layer_below() {
    let base = [dir("d"), Member { mode: 0o640, owner: (7, 8), ..file("d/old", "content") }, symlink("s", "d/old")];
    let layers = Layers::of(&[&base, &[hard_link("new", "d/old"), hard_link("e/t", "s"), hard_link("more", "new")]]);
    assert_eq!(layers.shows(), "d/ d/old=content e/ e/t>d/old more=content new=content s>d/old");
    let flat = layers.flat();
    assert_eq!(said(&flat.join("new")), (owner(7), 0o640, 1_700_000_000, 0));
    assert_eq!(fs::metadata(flat.join("new")).unwrap().ino(), fs::metadata(flat.join("d/old")).unwrap().ino());
    // What stood there before is replaced, what comes later stays.
    let links = [file("a", "1"), hard_link("a", "d/old"), hard_link("b", "d/old"), file("b", "2")];
    assert_eq!(Layers::of(&[&base, &links]).shows(), "a=content b=2 d/ d/old=content s>d/old");
    let deleted = [hard_link("a", "d/old"), file(".wh.a", "")];
    assert_eq!(Layers::of(&[&base, &deleted]).shows(), "a=content d/ d/old=content s>d/old");
}

#[test]
fn a_hard_link_may_lead_to_what_comes_later() {
    assert_eq!(Layers::of(&[&[hard_link("a", "b"), file("b", "content")]]).shows(), "a=content b=content");
}

#[test]
fn a_hard_link_to_what_is_hidden_or_no_file_is_refused() {
    let base = [dir("d"), file("d/old", ""), symlink("s", "d")];
    let refused = |members: &[Member<'_>]| {
        let mut layers = Layers::of(&[&base]);
        format!("{:#}", layers.add_archive(&archive(members)).unwrap_err())
    };
    let gone = "unpack new: a hard link to d/old, which is not there";
    assert_eq!(refused(&[hard_link("new", "d/old"), file("d/.wh.old", "")]), gone);
    assert_eq!(refused(&[hard_link("new", "d/old"), file(".wh.d", "")]), gone);
    assert_eq!(refused(&[hard_link("new", "d/old"), file("d/.wh..wh..opq", "")]), gone);
    assert!(refused(&[file("d/.wh.old", ""), hard_link("new", "d/old")]).contains("what this layer deletes"));
    assert!(refused(&[hard_link("new", "s/old")]).contains("which is not there"));
    assert!(refused(&[hard_link("new", "d")]).contains("which is a directory"));
}

#[test]
fn layers_may_be_deeper_than_any_path() {
    // A thousand directories, a symlink to the last, a thousand more below it, and so on: more than a path is
    // long, and more than there are descriptors.
    let down = "d/".repeat(1000);
    let ways: Vec<String> = (0..3).map(|n| if n == 0 { down.clone() } else { format!("way{n}/{down}") }).collect();
    let file_name = format!("{}file", ways[2]);
    let mut members = Vec::new();
    let names: Vec<String> = (1..3).map(|n| format!("way{n}")).collect();
    for (way, name) in ways.iter().zip(&names) {
        members.push(long_name(way.as_bytes()));
        members.push(dir("x"));
        members.push(Member { kind: b'K', path: b"././@LongLink", content: way.as_bytes(), ..Member::default() });
        members.push(symlink(name, "x"));
    }
    members.extend([long_name(file_name.as_bytes()), file("x", "content")]);
    let mut layers = Layers::of(&[&members]);
    // The same above it: what is implied is looked up below, all the way down.
    members.push(file("other", ""));
    layers.add(&members);
    let flat = layers.flat();
    assert_eq!(fs::metadata(flat.join("d/d/d")).unwrap().mode() & 0o777, 0o755);
    remove_tree(&flat).unwrap();
    assert!(!flat.exists());
}
