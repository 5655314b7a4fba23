//! Names that stand for deletions.

use std::fs;
use std::os::unix::fs::FileTypeExt;

use super::{Place, assert_says, refusal};
use crate::test_tar::{Member, archive, dir, file, hard_link, symlink};

#[test]
fn deletions_of_what_has_no_name_are_refused() {
    for name in [".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..", "d/.wh...", "/.wh...", "./.wh..."] {
        assert_says(&refusal(&[dir("d"), file(name, "")]), "a deletion of what has no name");
    }
    assert_says(&refusal(&[file("../.wh.outside", "")]), "points outside with `..`");
}

#[test]
fn a_deletion_through_a_symlink_stays_inside() {
    let place = Place::new();
    let beside = place.temp.path().to_str().unwrap();
    for out in [beside, "../../../../..", "/"] {
        // Where the link leads to is a directory of the tree, or none.
        let tar = archive(&[symlink("out", out), file("out/.wh.outside", "")]);
        match place.unpack(&tar) {
            Ok(unpacked) => {
                assert!(fs::symlink_metadata(unpacked.tree.join("outside")).unwrap().file_type().is_char_device());
            }
            Err(error) => assert_says(&format!("{error:#}"), "no directory of this layer"),
        }
        let _ = place.unpack(&archive(&[symlink("out", out), file("out/.wh..wh..opq", "")]));
    }
}

#[test]
fn a_deletion_is_an_empty_file() {
    assert_says(&refusal(&[file(".wh.f", "content")]), "a deletion with 7 bytes of content");
    assert_says(&refusal(&[file(".wh..wh..opq", "content")]), "a deletion with 7 bytes of content");
    for member in [dir(".wh.d"), dir(".wh..wh..opq"), symlink(".wh.l", "f"), symlink("d/.wh..wh..opq", "..")] {
        assert_says(&refusal(&[member]), "a deletion must be an empty file");
    }
    for kind in [b'3', b'4', b'6'] {
        let node = Member { kind, path: b".wh.n", device: (1, 3), ..Member::default() };
        assert_says(&refusal(&[node]), "a deletion must be an empty file");
    }
    assert_says(&refusal(&[file("f", ""), hard_link(".wh.f", "f")]), "a deletion that is a link to something else");
    assert_says(&refusal(&[file(".wh.d/f", "")]), "in a directory with the name of a deletion");
    assert_says(&refusal(&[file("a/.wh.d/.wh.f", "")]), "in a directory with the name of a deletion");
}

#[test]
fn no_link_leads_to_a_deletion() {
    assert_says(&refusal(&[file(".wh.f", ""), hard_link("g", ".wh.f")]), "a hard link to a deletion");
    assert_says(&refusal(&[file("d/.wh.f", ""), hard_link("g", "d/.wh.f/x")]), "a hard link to a deletion");
    // By the name of what was deleted: the link would be a deletion too.
    assert_says(&refusal(&[file(".wh.f", ""), hard_link("g", "f")]), "what this layer deletes");
    let way = [symlink("way", "/"), file(".wh.f", ""), hard_link("g", "way/f")];
    assert_says(&refusal(&way), "what this layer deletes");
}

#[test]
fn a_deletion_in_disguise_is_refused() {
    // What overlayfs takes for a deletion, for root and for ordinary users, who get no devices at all.
    let node = |path| Member { kind: b'3', path, device: (0, 0), ..Member::default() };
    assert_says(&refusal(&[node(b"passwd")]), "what overlayfs takes for a deletion");
    assert_says(&refusal(&[file("passwd", ""), node(b"passwd")]), "what overlayfs takes for a deletion");
}

#[test]
fn an_opaque_file_is_refused() {
    assert_says(&refusal(&[file("f", ""), file("f/.wh..wh..opq", "")]), "no directory of this layer");
    let fifo = Member { kind: b'6', path: b"f", ..Member::default() };
    assert_says(&refusal(&[fifo, file("f/.wh..wh..opq", "")]), "no directory of this layer");
}

#[test]
fn what_is_in_a_note_of_aufs_is_not_laid_out() {
    let place = Place::new();
    let members = [dir(".wh..wh.plnk"), file(".wh..wh.plnk/f", "x"), file("d/.wh..wh.x/../../f", "")];
    assert_says(&place.refuses(&archive(&members)), "points outside with `..`");
    let tree = place.accepts(&archive(&members[..2]));
    assert_eq!(fs::read_dir(tree).unwrap().count(), 0);
}
