//! Archives that were made to do harm. Whatever is in them, nothing outside of the tree changes, and after a
//! refusal nothing is left in the store.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use nix::unistd::geteuid;
use tempfile::TempDir;

use super::test_tar::{Member, archive, bytes, dir, file, hard_link, long_name, pax, record, sealed, symlink};
use super::{Imported, Store, import};

/// A place with a store in `store/`, and beside it what an archive would like to reach.
struct Place {
    temp: TempDir,
}

impl Place {
    fn new() -> Place {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("outside"), "untouched").unwrap();
        Place { temp }
    }

    fn outside(&self) -> PathBuf {
        self.temp.path().join("outside")
    }

    fn import(&self, tar: &[u8]) -> anyhow::Result<Imported> {
        let imported = import(&Store::open(&self.temp.path().join("store")), tar, None);
        assert_eq!(fs::read_to_string(self.outside()).unwrap(), "untouched");
        assert_eq!(fs::metadata(self.outside()).unwrap().nlink(), 1, "nothing may be linked to it");
        let mut beside: Vec<_> = fs::read_dir(self.temp.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        beside.retain(|name| name != "outside" && name != "store");
        assert!(beside.is_empty(), "{beside:?} came to be beside the store");
        imported
    }

    /// The tree that `tar` became.
    fn accepts(&self, tar: &[u8]) -> PathBuf {
        self.import(tar).unwrap().image.rootfs
    }

    /// Why `tar` was refused.
    fn refuses(&self, tar: &[u8]) -> String {
        let before = self.stored();
        let error = format!("{:#}", self.import(tar).expect_err("it must be refused"));
        assert_eq!(self.stored(), before, "something was left in the store after: {error}");
        error
    }

    fn stored(&self) -> Vec<OsString> {
        let entries = fs::read_dir(self.temp.path().join("store")).into_iter().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.retain(|name| name != "names" && name != "lock");
        names.sort();
        names
    }
}

fn refusal(members: &[Member<'_>]) -> String {
    Place::new().refuses(&archive(members))
}

#[track_caller]
fn assert_says(error: &str, words: &str) {
    assert!(error.contains(words), "it should say {words:?}, but says: {error}");
}

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
    assert_says(&error, "ENOENT");
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
    assert_eq!(fs::metadata(&beside).unwrap().mode(), before.mode());
}

#[test]
fn hard_links_lead_nowhere_else() {
    let place = Place::new();
    let outside = place.outside();
    let target = outside.to_str().unwrap();
    assert_says(&place.refuses(&archive(&[hard_link("h", target)])), "No such file");
    let beside = place.temp.path().to_str().unwrap();
    assert_says(&place.refuses(&archive(&[symlink("s", beside), hard_link("h", "s/outside")])), "ENOENT");
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
    let imported = place.import(&archive(&[node(b'3', "null"), node(b'4', "disk"), node(b'6', "fifo")])).unwrap();
    let tree = imported.image.rootfs;
    assert!(fs::symlink_metadata(tree.join("fifo")).unwrap().file_type().is_fifo());
    if geteuid().is_root() {
        let null = fs::symlink_metadata(tree.join("null")).unwrap();
        assert!(null.file_type().is_char_device() && null.rdev() == nix::sys::stat::makedev(1, 3));
        assert!(fs::symlink_metadata(tree.join("disk")).unwrap().file_type().is_block_device());
        assert_eq!(imported.warnings, [""; 0]);
    } else {
        assert!(!tree.join("null").exists() && !tree.join("disk").exists());
        assert_eq!(imported.warnings, ["left out 2 device node(s), which only root can make"]);
    }
}

#[test]
fn absurd_sizes_are_refused_before_anything_is_written() {
    let sized = |kind, size| Member { kind, path: b"big", size: Some(size), ..Member::default() };
    assert_says(&refusal(&[sized(b'0', 1 << 62)]), "there is room for");
    assert_says(&refusal(&[sized(b'0', u64::MAX)]), "which no file system can hold");
    assert_says(&refusal(&[sized(b'L', 1 << 40)]), "is the most it may have");
    assert_says(&refusal(&[sized(b'K', 1 << 40)]), "is the most it may have");
    assert_says(&refusal(&[sized(b'x', 1 << 40)]), "is the most it may have");
    assert_says(&refusal(&[sized(b'g', 1 << 40)]), "is the most it may have");
    let records = record("size", b"4611686018427387904");
    assert_says(&refusal(&[pax(&records), file("big", "")]), "there is room for");
}

#[test]
fn what_is_no_file_has_no_content() {
    for kind in [b'1', b'2', b'3', b'4', b'5', b'6'] {
        let member = Member { kind, path: b"x", link: b"y", content: b"hidden", ..Member::default() };
        assert_says(&refusal(&[file("y", ""), member]), "it is no file, but has 6 bytes of content");
    }
}

#[test]
fn an_archive_that_is_cut_off_is_refused_wherever_that_is() {
    let place = Place::new();
    let members = [dir("d"), file("d/f", "content"), long_name(&[b'n'; 200]), file("n", "more"), symlink("s", "d")];
    let whole: Vec<u8> = members.iter().flat_map(bytes).collect();
    for length in (1..whole.len()).step_by(37).chain((512..=whole.len()).step_by(512)) {
        let error = place.refuses(&whole[..length]);
        assert!(error.contains("cut off"), "{length} bytes: {error}");
    }
    assert_says(&place.refuses(b""), "is empty");
}

#[test]
fn what_is_no_archive_is_refused() {
    let place = Place::new();
    assert_says(&place.refuses("A shopping list. ".repeat(100).as_bytes()), "not a tar archive");
    assert_says(&place.refuses(&fs::read("/proc/self/exe").unwrap()[..4096]), "not a tar archive");
    assert_says(&place.refuses(&[0; 10240]), "holds nothing");
    assert_says(&place.refuses(b"\xfd7zXZ\0 and so on"), "xz -dc");
    assert_says(&place.refuses(b"BZh91AY and so on"), "bzip2 -dc");
    assert_says(&place.refuses(b"\x28\xb5\x2f\xfd and so on"), "zstd -dc");
    assert_says(
        &refusal(&[file("f", ""), Member { kind: b'V', path: b"label", ..Member::default() }]),
        "unknown type 'V'",
    );
    let mut damaged = archive(&[file("f", "content"), file("g", "")]);
    damaged[1024 + 20] = b'!';
    assert_says(&place.refuses(&damaged), "wrong checksum");
}

#[test]
fn damaged_gzip_is_refused() {
    let place = Place::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&archive(&[file("f", &"content ".repeat(1000))])).unwrap();
    let whole = encoder.finish().unwrap();
    for length in [2, 10, 11, whole.len() / 2, whole.len() - 8, whole.len() - 1] {
        place.refuses(&whole[..length]);
    }
    let mut wrong_sum = whole.clone();
    let at = whole.len() - 6;
    wrong_sum[at] ^= 1;
    place.refuses(&wrong_sum);
    place.refuses(&[whole.as_slice(), b"rubbish"].concat());
    place.accepts(&whole);
}

#[test]
fn a_long_record_does_not_fill_the_memory() {
    let place = Place::new();
    // 64 MiB of a name become a few kilobytes of gzip.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&archive(&[long_name(&vec![b'a'; 64 << 20]), file("f", "")])).unwrap();
    assert_says(&place.refuses(&encoder.finish().unwrap()), "is the most it may have");
}

/// A sparse file in GNU's way: `size` bytes of which the archive holds the given pieces.
fn sparse(size: u64, pieces: &[(u64, u64)], content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_path("sparse").unwrap();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.set_real_size(size);
    for (slot, (offset, length)) in gnu.sparse.iter_mut().zip(pieces) {
        slot.set_offset(*offset);
        slot.set_length(*length);
    }
    [sealed(header, content), vec![0; 1024]].concat()
}

#[test]
fn maps_of_sparse_files_are_checked() {
    let place = Place::new();
    let tree = place.accepts(&sparse(1 << 20, &[(4096, 4), (8192, 2), (1 << 20, 0)], b"holdup"));
    let content = fs::read(tree.join("sparse")).unwrap();
    assert_eq!((content.len(), &content[4096..4100], &content[8192..8195]), (1 << 20, &b"hold"[..], &b"up\0"[..]));
    assert!(fs::metadata(tree.join("sparse")).unwrap().blocks() * 512 < 1 << 19, "holes must stay holes");

    assert_says(&place.refuses(&sparse(100, &[(50, 4), (0, 2)], b"holdup")), "out of order");
    assert_says(&place.refuses(&sparse(100, &[(0, 4), (3, 2)], b"holdup")), "out of order");
    assert_says(&place.refuses(&sparse(100, &[(u64::MAX, 6)], b"holdup")), "out of order");
    assert_says(&place.refuses(&sparse(100, &[(0, 5)], b"holdup")), "does not fit");
    assert_says(&place.refuses(&sparse(100, &[(0, 1 << 40)], b"holdup")), "does not fit");
    assert_says(&place.refuses(&sparse(5, &[(0, 6)], b"holdup")), "does not fit");
    assert_says(&place.refuses(&sparse(1 << 62, &[(0, 6)], b"holdup")), "there is room for");
    let posix = record("GNU.sparse.major", b"1");
    assert_says(&refusal(&[pax(&posix), file("f", "")]), "--format=gnu");
}

#[test]
fn overlays_own_attributes_do_not_get_in() {
    let place = Place::new();
    let names =
        ["user.overlay.opaque", "user.overlay.redirect", "trusted.overlay.opaque", "security.selinux", "user.ok"];
    let records: Vec<u8> = names.iter().flat_map(|name| record(&format!("SCHILY.xattr.{name}"), b"y")).collect();
    let tree = place.accepts(&archive(&[pax(&records), dir("d")]));
    let kept =
        super::attributes::xattrs_of(std::os::fd::AsFd::as_fd(&fs::File::open(tree.join("d")).unwrap())).unwrap();
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
    // Each symlink leads 1000 directories down, so that the next one starts there.
    let down = "d/".repeat(1000);
    let mut members = Vec::new();
    let mut through = String::new();
    let names: Vec<(String, String)> = (0..5)
        .map(|n| {
            let deep = format!("{through}{down}");
            through += &format!("s{n}/");
            (deep, through.trim_end_matches('/').to_owned())
        })
        .collect();
    for (deep, link) in &names {
        members.push(long_name(deep.as_bytes()));
        members.push(dir("x"));
        members.push(Member { kind: b'K', path: b"././@LongLink", content: down.as_bytes(), ..Member::default() });
        members.push(symlink(link, "x"));
    }
    let place = Place::new();
    let tree = place.accepts(&archive(&members));
    let copy = place.temp.path().join("store/copy");
    super::copy_tree(&tree, &copy).unwrap();
    super::remove_tree(&copy).unwrap();
    super::remove_tree(tree.parent().unwrap()).unwrap();
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
fn any_byte_may_be_wrong() {
    let place = Place::new();
    let records = [record("mtime", b"1.5"), record("SCHILY.xattr.user.a", b"b")].concat();
    let harmless = [dir("d"), pax(&records), file("d/f", "content"), long_name(b"long"), symlink("s", "../outside")];
    let whole: Vec<u8> = harmless.iter().flat_map(bytes).collect();
    // What ends every one of them in a refusal, and the refusal in a store that must be as empty as before.
    let end = archive(&[file("../outside", "harm")]);
    for at in 0..whole.len() {
        let mut tar = whole.clone();
        tar[at] ^= 0x5b;
        let block = at / 512 * 512..at / 512 * 512 + 512;
        if whole[block.clone()][257..262] == *b"ustar" && !(148..156).contains(&(at % 512)) {
            // With a checksum that fits, so that the change gets past it.
            let mut header = tar::Header::from_byte_slice(&tar[block.clone()]).clone();
            header.set_cksum();
            tar[block].copy_from_slice(header.as_bytes());
        }
        tar.extend(&end);
        place.refuses(&tar);
    }
}

#[test]
fn a_tree_that_locks_its_owner_out_is_made_and_removed() {
    let place = Place::new();
    let closed = |path| Member { mode: 0o000, ..dir(path) };
    let members = [closed("a"), closed("a/b"), file("a/b/f", "content"), closed("./")];
    let tree = place.accepts(&archive(&members));
    assert_eq!(fs::metadata(&tree).unwrap().permissions().mode() & 0o7777, 0);
    super::remove_tree(tree.parent().unwrap()).unwrap();
    assert!(!Path::exists(&tree));
    // And when it is refused in the middle.
    place.refuses(&archive(&[closed("a"), closed("a/b"), file("..", "")]));
}
