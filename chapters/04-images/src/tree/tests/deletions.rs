//! Deletions: of names, and of all that is in a directory.

use std::os::fd::AsFd;

use super::Layers;
use crate::test_tar::{Member, dir, file, hard_link, symlink};
use crate::tree::whiteout::is_opaque;

fn base<'a>() -> Vec<Member<'a>> {
    vec![dir("d"), file("d/a", "1"), dir("d/deep"), file("d/deep/b", "2"), file("f", "3"), symlink("l", "d")]
}

/// What is seen of a layer above [`base`].
fn above(members: &[Member<'_>]) -> String {
    let layers = Layers::of(&[&base(), members]);
    // However often it is packed up on the way: the same on a layer that changes nothing.
    let more = Layers::of(&[&base(), members, &[], &[file("z", "")]]);
    assert_eq!(more.shows(), format!("{} z=", layers.shows()).trim_start());
    layers.shows()
}

#[test]
fn what_is_deleted_is_hidden_below() {
    assert_eq!(above(&[]), "d/ d/a=1 d/deep/ d/deep/b=2 f=3 l>d");
    assert_eq!(above(&[file(".wh.f", ""), file(".wh.l", "")]), "d/ d/a=1 d/deep/ d/deep/b=2");
    assert_eq!(above(&[file("d/.wh.a", ""), file("d/.wh.deep", "")]), "d/ f=3 l>d");
    assert_eq!(above(&[file(".wh.d", "")]), "f=3 l>d");
    assert_eq!(above(&[file("./.wh.nothing", ""), file("d/no/.wh.thing", "")]), {
        "d/ d/a=1 d/deep/ d/deep/b=2 d/no/ f=3 l>d"
    });
}

#[test]
fn what_the_same_layer_brings_stays_whatever_the_order() {
    let deletion = || file(".wh.f", "");
    assert_eq!(above(&[deletion(), file("f", "new")]), "d/ d/a=1 d/deep/ d/deep/b=2 f=new l>d");
    assert_eq!(above(&[file("f", "new"), deletion()]), "d/ d/a=1 d/deep/ d/deep/b=2 f=new l>d");
    assert_eq!(above(&[deletion(), symlink("f", "x")]), "d/ d/a=1 d/deep/ d/deep/b=2 f>x l>d");
    assert_eq!(above(&[symlink("f", "x"), deletion()]), "d/ d/a=1 d/deep/ d/deep/b=2 f>x l>d");
    let deletion = || file(".wh.d", "");
    assert_eq!(above(&[deletion(), dir("d"), file("d/n", "")]), "d/ d/n= f=3 l>d");
    assert_eq!(above(&[dir("d"), file("d/n", ""), deletion()]), "d/ d/n= f=3 l>d");
    assert_eq!(above(&[dir("d"), deletion(), file("d/n", "")]), "d/ d/n= f=3 l>d");
    assert_eq!(above(&[deletion(), file("d/n", "")]), "d/ d/n= f=3 l>d");
    assert_eq!(above(&[file("d/n", ""), deletion()]), "d/ d/n= f=3 l>d");
    assert_eq!(above(&[deletion(), deletion(), file("d/deep/n", "")]), "d/ d/deep/ d/deep/n= f=3 l>d");
    assert_eq!(above(&[file("d", "now a file"), deletion()]), "d=now a file f=3 l>d");
}

#[test]
fn what_was_in_a_directory_that_is_a_file_now_may_be_deleted_too() {
    let deletions = || [file("d/.wh.a", ""), file("d/deep/.wh.b", "")];
    let [a, b] = deletions();
    assert_eq!(above(&[file("d", "file"), a, b]), "d=file f=3 l>d");
    let [a, b] = deletions();
    assert_eq!(above(&[a, file("d/deep", "file"), b]), "d/ d/deep=file f=3 l>d");
}

#[test]
fn an_opaque_directory_hides_all_that_is_in_it_below() {
    let opaque = || file("d/.wh..wh..opq", "");
    assert_eq!(above(&[opaque()]), "d/ f=3 l>d");
    assert_eq!(above(&[dir("d"), opaque(), file("d/n", "")]), "d/ d/n= f=3 l>d");
    assert_eq!(above(&[file("d/n", ""), dir("d/deep"), opaque()]), "d/ d/deep/ d/n= f=3 l>d");
    assert_eq!(above(&[file("d/deep/.wh..wh..opq", "")]), "d/ d/a=1 d/deep/ f=3 l>d");
    assert_eq!(above(&[file(".wh.d", ""), opaque(), opaque()]), "d/ f=3 l>d");
}

#[test]
fn an_opaque_root_hides_everything() {
    let opaque = || file(".wh..wh..opq", "");
    assert_eq!(above(&[opaque()]), "");
    assert_eq!(above(&[file("n", ""), opaque(), file("d/n", "")]), "d/ d/n= n=");
    assert_eq!(above(&[opaque(), dir("d"), symlink("f", "x"), file("l/n", "")]), "d/ f>x l/ l/n=");
    assert_eq!(Layers::of(&[&[opaque(), file("f", "")]]).shows(), "f=");
}

#[test]
fn deletions_of_deletions_are_none() {
    let layers =
        Layers::of(&[&base(), &[file(".wh.d", "")], &[file("d/again", "")], &[file(".wh.d", "")], &[dir("d")]]);
    assert_eq!(layers.shows(), "d/ f=3 l>d");
}

#[test]
fn what_is_deleted_in_a_directory_that_is_linked_to_is_deleted_there() {
    let members = [symlink("way", "/d"), dir("d"), file("way/.wh.a", ""), file("way/deep/.wh..wh..opq", "")];
    assert_eq!(above(&members), "d/ d/deep/ f=3 l>d way>/d");
}

#[test]
fn notes_of_aufs_mean_nothing() {
    let note = |path| Member { mode: 0o700, ..dir(path) };
    let members = [
        note(".wh..wh.plnk"),
        file(".wh..wh.plnk/123.456", "with content"),
        note(".wh..wh.orph"),
        file(".wh..wh.aufs", ""),
        file(".wh.f", ""),
        hard_link("d/.wh.a", ".wh.f"),
        hard_link(".wh.l", ".wh..wh.aufs"),
    ];
    assert_eq!(above(&members), "d/ d/deep/ d/deep/b=2");
}

#[test]
fn only_what_has_to_be_is_opaque() {
    let layers = Layers::of(&[&base(), &[dir("d"), file("d/.wh.a", ""), file("x/y", ""), file(".wh.x2", "")]]);
    for name in ["d", "x", ""] {
        let dir = std::fs::File::open(layers.tree().join(name)).unwrap();
        assert!(!is_opaque(dir.as_fd()).unwrap(), "{name}");
    }
}
