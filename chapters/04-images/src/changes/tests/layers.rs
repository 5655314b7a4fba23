//! A layer of an upper directory, and the directory that it becomes again.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;

use nix::sys::stat::{Mode, SFlag, mknod};
use nix::unistd::{Gid, Uid, chown, geteuid};

use super::*;
use crate::test_dir::TestDir;

/// An upper directory with one of everything.
fn sample(dir: &Path) {
    let long = "a-long-name/".repeat(20);
    fs::create_dir_all(dir.join("etc/gone.d")).unwrap();
    fs::create_dir_all(dir.join(&long)).unwrap();
    fs::write(dir.join(&long).join("file"), "found").unwrap();
    fs::write(dir.join("etc/program"), "#!").unwrap();
    fs::set_permissions(dir.join("etc/program"), fs::Permissions::from_mode(0o4711)).unwrap();
    fs::hard_link(dir.join("etc/program"), dir.join("same")).unwrap();
    fs::hard_link(dir.join("etc/program"), dir.join("etc/again")).unwrap();
    symlink("target/".repeat(30), dir.join("link")).unwrap();
    set_time(&dir.join("link"), 1_500_000_000, 1);
    mknod(&dir.join("fifo"), SFlag::S_IFIFO, Mode::from_bits_truncate(0o622), 0).unwrap();
    let sparse = File::create(dir.join("sparse")).unwrap();
    sparse.write_all_at(b"middle", 5 << 20).unwrap();
    sparse.set_len(10 << 20).unwrap();
    fs::write(dir.join("marked"), "content").unwrap();
    set_xattr(&dir.join("marked"), "user.note", "a\nb\0c");
    set_xattr(&dir.join("marked"), "user.another", "");
    set_time(&dir.join("marked"), -2, 750_000_000);
    fs::write(dir.join("ünïcode"), "").unwrap();
    whiteout(&dir.join("etc/deleted"));
    note(&dir.join("etc/gone.d"), "opaque", "y");
    fs::write(dir.join("etc/gone.d/new"), "").unwrap();
    if geteuid().is_root() {
        chown(&dir.join("marked"), Some(Uid::from_raw(3_000_000_000)), Some(Gid::from_raw(12))).unwrap();
    }
    for name in ["etc/gone.d/new", "etc/gone.d", "etc/program", "ünïcode", "fifo", "sparse", "etc"] {
        set_time(&dir.join(name), 1_600_000_000, 250_000_000);
    }
    for ancestor in Path::new(&long).join("file").ancestors().take_while(|path| !path.as_os_str().is_empty()) {
        set_time(&dir.join(ancestor), 1_700_000_000, 0);
    }
}

#[test]
fn what_goes_out_comes_in_again() {
    let temp = TestDir::new();
    let upper = temp.path().join("upper");
    fs::create_dir(&upper).unwrap();
    sample(&upper);
    let layer = layer_of(&upper).unwrap();
    let again = temp.path().join("again");
    unpacked(&layer, &again);
    let (before, after) = (listing(&upper), listing(&again));
    assert_eq!(before.len(), 33);
    for (path, said) in &before {
        assert_eq!(Some(said), after.get(path), "{}", path.display());
    }
    assert_eq!(before, after);
    assert_eq!(layer_of(&again).unwrap(), layer, "the same changes must give the same bytes");
}

#[test]
fn the_order_in_which_things_were_made_does_not_matter() {
    let temp = TestDir::new();
    let (one, other) = (temp.path().join("one"), temp.path().join("other"));
    let names: Vec<String> = (0..300).map(|n| format!("file-{n}")).collect();
    for (dir, names) in [(&one, names.clone()), (&other, names.iter().rev().cloned().collect())] {
        fs::create_dir(dir).unwrap();
        for name in names {
            let file = dir.join(name);
            fs::write(&file, "").unwrap();
            set_time(&file, 1, 0);
        }
    }
    assert_eq!(layer_of(&one).unwrap(), layer_of(&other).unwrap());
}

#[test]
fn an_upper_directory_without_changes_is_an_empty_archive() {
    let temp = TestDir::new();
    assert_eq!(layer_of(temp.path()).unwrap(), [0; 1024]);
}

#[test]
fn a_socket_stays_and_notes_of_overlay_stay() {
    let temp = TestDir::new();
    let _socket = std::os::unix::net::UnixListener::bind(temp.path().join("socket")).unwrap();
    fs::create_dir(temp.path().join("dir")).unwrap();
    for name in ["origin", "impure"] {
        note(&temp.path().join("dir"), name, "y");
    }
    let layer = layer_of(temp.path()).unwrap();
    assert!(!contains(&layer, b"socket") && !contains(&layer, b"overlay") && contains(&layer, b"dir/"));
}

#[test]
fn only_the_notes_of_the_right_overlay_count() {
    let temp = TestDir::new();
    fs::create_dir(temp.path().join("dir")).unwrap();
    set_xattr(&temp.path().join("dir"), "user.overlay.opaque", "y");
    let opaque = |rootless| TreeWalk::upper(temp.path(), rootless).unwrap().next_entry().unwrap().unwrap().opaque;
    assert!(opaque(true) && !opaque(false), "in root's overlay a container can write user.overlay.opaque");
    assert!(!TreeWalk::whole(temp.path()).unwrap().next_entry().unwrap().unwrap().opaque);
}

#[test]
fn a_file_with_a_note_is_a_deletion_too() {
    let temp = TestDir::new();
    fs::write(temp.path().join("gone"), "").unwrap();
    note(&temp.path().join("gone"), "whiteout", "y");
    assert!(contains(&layer_of(temp.path()).unwrap(), b".wh.gone"));
}

#[test]
fn a_file_that_changes_while_it_is_read_leaves_the_archive_sound() {
    for (size, changed) in [(1000, 10_000), (10_000, 1000), (10_000, 0), (700_000, 300_000)] {
        let temp = TestDir::new();
        let path = temp.path().join("log");
        fs::write(&path, vec![b'x'; size]).unwrap();
        let mut bytes = Vec::new();
        let mut upper = TreeWalk::whole(temp.path()).unwrap();
        let entry = upper.next_entry().unwrap().unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(0).unwrap();
        (&file).write_all(&vec![b'y'; changed]).unwrap();
        let mut writer = LayerWriter::new(&mut bytes);
        writer.put(&entry, &upper).unwrap();
        writer.finish().unwrap();
        unpacked(&bytes, &temp.path().join("again"));
        let mut expected = vec![b'y'; changed];
        expected.resize(size, 0);
        assert!(fs::read(temp.path().join("again/log")).unwrap() == expected, "{size} to {changed}");
    }
}
