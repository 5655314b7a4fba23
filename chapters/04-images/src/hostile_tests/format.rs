//! The bytes of the archive itself.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Place, assert_says, refusal, stored};
use crate::store::{Expected, Store};
use crate::test_dir::TestDir;
use crate::test_tar::{Member, archive, bytes, dir, file, long_name, pax, record, sealed, symlink};
use crate::{Digest, apply_layer};

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
    for length in (513..whole.len()).step_by(37).chain((512..=whole.len()).step_by(512)) {
        let error = place.refuses(&whole[..length]);
        assert!(error.contains("cut off"), "{length} bytes: {error}");
    }
    assert_says(&place.refuses(b""), "the archive is empty");
    assert_says(&place.refuses(&whole[..511]), "this is not a tar archive");
}

#[test]
fn what_is_no_archive_is_refused() {
    let place = Place::new();
    assert_says(&place.refuses("A shopping list. ".repeat(100).as_bytes()), "not a tar archive");
    assert_says(&place.refuses(&fs::read("/proc/self/exe").unwrap()[..4096]), "not a tar archive");
    // An archive of nothing is one: Docker has it as "the empty layer".
    assert_eq!(fs::read_dir(place.accepts(&[0; 1024])).unwrap().count(), 0);
    assert_says(&place.refuses(b"\xfd7zXZ\0 and so on"), "it is compressed with xz, and layers");
    assert_says(&place.refuses(b"BZh91AY and so on"), "it is compressed with bzip2, and layers");
    place.refuses(b"\x28\xb5\x2f\xfd and so on");
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
fn damaged_data_is_called_that_and_not_a_bad_archive() {
    let temp = TestDir::new();
    let store = Store::open(&temp.path().join("store"));
    let plain = archive(&[file("a", "content"), file("b", &"content ".repeat(100_000))]);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&plain).unwrap();
    let gzip = encoder.finish().unwrap();
    let digest = |bytes: &[u8]| Expected { digest: Some(Digest::of(bytes)), ..Expected::default() };
    let diff_id = Expected { diff_id: Some(Digest::of(&plain)), ..Expected::default() };
    for (whole, expected) in [(&gzip, digest(&gzip)), (&plain, digest(&plain)), (&plain, diff_id)] {
        let mut damaged = whole.clone();
        damaged[40] ^= 0xff;
        damaged.extend_from_slice(&vec![b'x'; 4 << 20]);
        let writer = store.write().unwrap();
        let error = format!("{:#}", writer.receive(&mut &damaged[..], &expected, apply_layer).unwrap_err());
        assert_says(&error, "the layer is not what it should be: its d");
        assert_eq!(stored(&temp.path().join("store")), [""; 0]);
    }
}

#[test]
fn little_may_follow_the_end_mark() {
    let place = Place::new();
    let followed_by = |size: usize| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&archive(&[file("f", "")])).unwrap();
        encoder.write_all(&vec![0; size]).unwrap();
        encoder.finish().unwrap()
    };
    place.accepts(&followed_by(1 << 20));
    assert_says(&place.refuses(&followed_by(17 << 20)), "goes on for more than 16 MiB after its end mark");
}

#[test]
fn an_extended_attribute_that_cannot_be_set_is_named() {
    let with = |name: &str, value: &[u8]| {
        let records = record(&format!("SCHILY.xattr.{name}"), value);
        refusal(&[pax(&records), file("marked", "")])
    };
    let long = format!("user.{}", "n".repeat(300));
    assert_says(&with(&long, b"1"), "marked: the name of its extended attribute user.nnn");
    let error = with("user.big", &vec![b'x'; (64 << 10) + 1]);
    assert_says(&error, "marked: its extended attribute user.big has 65537 bytes, and 65536 is the most");
    if nix::unistd::geteuid().is_root() {
        assert_says(&with("security.capability", b"?"), "fsetxattr security.capability of marked: EINVAL");
    }
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
    assert_says(&place.refuses(&sparse(1 << 62, &[(0, 6)], b"holdup")), "the most that a file may have");
    let posix = record("GNU.sparse.major", b"1");
    assert_says(&refusal(&[pax(&posix), file("f", "")]), "without its size");
}

#[test]
fn any_byte_may_be_wrong() {
    let place = Place::new();
    let records = [record("mtime", b"1.5"), record("SCHILY.xattr.user.a", b"b")].concat();
    let harmless = [dir("d"), pax(&records), file("d/f", "content"), long_name(b"long"), symlink("s", "../outside")];
    let whole: Vec<u8> = harmless.iter().flat_map(bytes).collect();
    // What ends every one of them in a refusal, and the refusal in a store that must be as empty as before.
    let end = archive(&[file("../outside", "harm")]);
    for at in (0..whole.len()).step_by(11) {
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
