//! Changes on their way out and in again.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{Mode, SFlag, UtimensatFlags, mkdirat, mknod, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, chown, geteuid};

use super::{ChangeKind, Lower, Upper, differences};
use crate::test_dir::TestDir;
use crate::tree::xattrs_of;
use crate::{Kind, Layer, LayerWriter, Tree, apply_layer, make_layer};

fn rootless() -> bool {
    !geteuid().is_root()
}

fn note(dir: &Path, name: &str, value: &str) {
    let prefix = if rootless() { "user" } else { "trusted" };
    set_xattr(dir, &format!("{prefix}.overlay.{name}"), value);
}

fn set_xattr(path: &Path, name: &str, value: &str) {
    let (path, name) = (CString::new(path.as_os_str().as_bytes()).unwrap(), CString::new(name).unwrap());
    // SAFETY: path and name are NUL-terminated, and the value is as long as is said.
    let done = unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}

fn whiteout(path: &Path) {
    mknod(path, SFlag::S_IFCHR, Mode::empty(), 0).unwrap();
}

fn set_time(path: &Path, seconds: i64, nanos: i64) {
    let time = TimeSpec::new(seconds, nanos);
    utimensat(AT_FDCWD, path, &time, &time, UtimensatFlags::NoFollowSymlink).unwrap();
}

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

fn layer_of(dir: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = LayerWriter::new(&mut bytes);
    make_layer(&mut Upper::new(dir, rootless())?, &mut writer)?;
    writer.finish()?;
    Ok(bytes)
}

fn error_of(dir: &Path) -> String {
    format!("{:#}", layer_of(dir).expect_err("it must be refused"))
}

/// Everything that can be said about the files of a tree, by path.
fn listing(tree: &Path) -> BTreeMap<PathBuf, String> {
    let (mut listing, mut inodes, mut todo) = (BTreeMap::new(), Vec::new(), vec![tree.to_owned()]);
    while let Some(dir) = todo.pop() {
        let mut names: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        for path in names {
            let stat = fs::symlink_metadata(&path).unwrap();
            let inode = inodes.iter().position(|inode| *inode == stat.ino()).unwrap_or(inodes.len());
            inodes.push(stat.ino());
            if stat.file_type().is_char_device() {
                listing.insert(path.strip_prefix(tree).unwrap().to_owned(), format!("device {}", stat.rdev()));
                continue;
            }
            let mut said = format!(
                "{:o} {:?} {:?} inode {inode}",
                stat.mode(),
                (stat.uid(), stat.gid()),
                (stat.mtime(), stat.mtime_nsec()),
            );
            if stat.is_dir() {
                let upper = Upper::new(&path, rootless()).unwrap();
                let opaque = upper.notes.as_ref().unwrap().opaque(upper.top.as_fd()).unwrap();
                said += &format!(" opaque {opaque} {:?}", xattrs_of(upper.top.as_fd()).unwrap());
                todo.push(path.clone());
            } else if stat.is_file() {
                let mut xattrs = xattrs_of(File::open(&path).unwrap().as_fd()).unwrap();
                xattrs.sort();
                said += &format!(" {xattrs:?} {}", crate::Digest::of(&fs::read(&path).unwrap()));
            } else if stat.is_symlink() {
                said += &format!(" {:?}", fs::read_link(&path).unwrap());
            }
            listing.insert(path.strip_prefix(tree).unwrap().to_owned(), said);
        }
    }
    listing
}

fn unpacked(layer: &[u8], dir: &Path) {
    fs::create_dir(dir).unwrap();
    let mut tree = Tree::new(dir, rootless()).unwrap();
    apply_layer(&mut Layer::new(&mut &*layer), &mut tree).unwrap();
    tree.finish().unwrap();
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
    let opaque = |rootless| Upper::new(temp.path(), rootless).unwrap().next_entry().unwrap().unwrap().opaque;
    assert!(opaque(true) && !opaque(false), "in root's overlay a container can write user.overlay.opaque");
    assert!(!Upper::whole(temp.path()).unwrap().next_entry().unwrap().unwrap().opaque);
}

#[test]
fn a_file_with_a_note_is_a_deletion_too() {
    let temp = TestDir::new();
    fs::write(temp.path().join("gone"), "").unwrap();
    note(&temp.path().join("gone"), "whiteout", "y");
    assert!(contains(&layer_of(temp.path()).unwrap(), b".wh.gone"));
}

#[test]
fn what_a_layer_cannot_say_is_refused() {
    let temp = TestDir::new();
    let dir = temp.path();
    fs::write(dir.join(".wh.passwd"), "").unwrap();
    assert!(error_of(dir).contains(".wh.passwd: a layer cannot hold this"), "{}", error_of(dir));
    let mut whole = Upper::whole(dir).unwrap();
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
        let below = nix::fcntl::openat(&here, name.as_str(), nix::fcntl::OFlag::O_DIRECTORY, Mode::empty());
        here = below.unwrap().into();
    }
    let error = error_of(temp.path());
    assert!(error.contains("its path has") && error.len() < 1000, "{error}");
    let mut upper = Upper::whole(temp.path()).unwrap();
    let mut count = 0;
    while upper.next_entry().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 30);
}

#[test]
fn a_file_that_changes_while_it_is_read_leaves_the_archive_sound() {
    for (size, changed) in [(1000, 10_000), (10_000, 1000), (10_000, 0), (700_000, 300_000)] {
        let temp = TestDir::new();
        let path = temp.path().join("log");
        fs::write(&path, vec![b'x'; size]).unwrap();
        let mut bytes = Vec::new();
        let mut upper = Upper::whole(temp.path()).unwrap();
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

#[test]
fn a_file_is_read_while_it_is_the_last_entry_and_not_later() {
    let temp = TestDir::new();
    fs::write(temp.path().join("a"), "").unwrap();
    fs::write(temp.path().join("b"), "").unwrap();
    let mut upper = Upper::whole(temp.path()).unwrap();
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
    let mut upper = Upper::whole(&top).unwrap();
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
    let mut upper = Upper::whole(&top).unwrap();
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
    let mut upper = Upper::whole(temp.path()).unwrap();
    upper.skip(vec!["etc".into(), "missing".into()]);
    assert_eq!(upper.next_entry().unwrap().unwrap().path, Path::new("etcetera"));
    assert!(upper.next_entry().unwrap().is_none());
}

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

fn told(upper: &mut Upper, layers: &[PathBuf]) -> Vec<String> {
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
    assert_eq!(told(&mut Upper::new(&upper, rootless()).unwrap(), &layers), expected);
}

#[test]
fn a_copy_is_compared_with_what_it_is_a_copy_of() {
    let temp = TestDir::new();
    let layers = image(temp.path());
    let copy = temp.path().join("copy");
    crate::flatten(&layers, &copy).unwrap();
    let compared = || Upper::compared(&copy, &layers).unwrap();
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

#[test]
fn several_names_of_one_file_are_told_by_the_first() {
    let temp = TestDir::new();
    fs::create_dir(temp.path().join("dir")).unwrap();
    fs::write(temp.path().join("dir/z"), "content").unwrap();
    fs::hard_link(temp.path().join("dir/z"), temp.path().join("second")).unwrap();
    let mut upper = Upper::whole(temp.path()).unwrap();
    let mut kinds = Vec::new();
    while let Some(entry) = upper.next_entry().unwrap() {
        kinds.push(entry.kind);
    }
    assert!(
        matches!(&kinds[..], [Kind::Directory, Kind::File { size: 7, .. }, Kind::HardLink(first)] if first == Path::new("dir/z"))
    );
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
