//! Compression, and the ways to write sparse files.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Layers;
use crate::test_tar::{Member, archive, file, pax, record};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame with one block of each kind: as they are, and one byte many times.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    // A window of 1 MiB, no size, no checksum.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    for block in bytes.chunks(100_000) {
        frame.extend(&((block.len() as u32) << 3).to_le_bytes()[..3]);
        frame.extend(block);
    }
    frame.extend([1, 0, 0]);
    frame
}

fn skipped(bytes: &[u8]) -> Vec<u8> {
    [&[0x5e, 0x2a, 0x4d, 0x18][..], &(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

#[test]
fn a_layer_may_be_in_several_members_or_frames() {
    let tar = archive(&[file("f", &"content ".repeat(50_000))]);
    let plain = {
        let mut layers = Layers::new();
        layers.add_archive(&tar).unwrap().diff_id
    };
    let (front, back) = tar.split_at(tar.len() / 3);
    let whole = [
        gzip(&tar),
        [gzip(front), gzip(&[]), gzip(back)].concat(),
        zstd(&tar),
        [zstd(front), skipped(b"a table"), zstd(&[]), zstd(back), skipped(&[]), skipped(&[0; 1000])].concat(),
        [skipped(b"first"), zstd(&tar)].concat(),
    ];
    for (number, packed) in whole.iter().enumerate() {
        let mut layers = Layers::new();
        let placed = layers.add_archive(packed).unwrap_or_else(|error| panic!("{number}: {error:#}"));
        assert_eq!(placed.diff_id, plain, "{number}");
        assert_eq!(placed.descriptor.size, packed.len() as u64, "what comes compressed is kept as it is");
    }
}

#[test]
fn what_is_behind_the_last_frame_is_refused() {
    let tar = archive(&[file("f", "content")]);
    let frame = zstd(&tar);
    let mut big_window = frame.clone();
    big_window[5] = 0x90; // 256 MiB
    for (packed, words) in [
        ([&frame[..], b"rubbish"].concat(), "after a zstd frame comes something else"),
        ([&frame[..], &[0; 4]].concat(), "after a zstd frame comes something else"),
        ([&frame[..], &skipped(b"cut off")[..12]].concat(), "read the layer"),
        (frame[..frame.len() - 3].to_vec(), "read the archive"),
        (frame[..5].to_vec(), "cut off"),
        (big_window, "268435456 bytes of memory"),
        ([gzip(&tar), b"rubbish".to_vec()].concat(), "read the layer"),
    ] {
        let error = format!("{:#}", Layers::new().add_archive(&packed).unwrap_err());
        assert!(error.contains(words), "it should say {words:?}, but says: {error}");
    }
}

#[test]
fn zeros_become_holes() {
    let mut content = vec![0; 4 << 20];
    content[1 << 20] = b'x';
    content[3 << 20] = b'y';
    let layers = Layers::of(&[&[Member { path: b"f", content: &content, ..Member::default() }]]);
    let path = layers.tree().join("f");
    assert!(fs::metadata(&path).unwrap().blocks() * 512 < 1 << 20);
    assert_eq!(fs::read(path).unwrap(), content);
}

/// What GNU's tar makes of a file with holes, in each of its ways.
#[test]
fn sparse_files_are_read_in_all_ways() {
    let temp = crate::test_dir::TestDir::new();
    let mut content = vec![0u8; 3 << 20];
    // More pieces than a header has room for.
    for piece in 0..40 {
        content[piece * 65536..][..4096].fill(b'a' + (piece % 26) as u8);
    }
    let mut file = fs::File::create(temp.path().join("f")).unwrap();
    for (number, block) in content.chunks(4096).enumerate() {
        if block[0] != 0 {
            std::os::unix::fs::FileExt::write_all_at(&file, block, number as u64 * 4096).unwrap();
        }
    }
    file.set_len(content.len() as u64).unwrap();
    file.flush().unwrap();
    for way in [&["--format=gnu"][..], &["--sparse-version=0.0"], &["--sparse-version=0.1"], &["--sparse-version=1.0"]]
    {
        let mut tar = Command::new("tar");
        tar.args(["--create", "--sparse", "--format=posix"]).args(way).arg("f").current_dir(temp.path());
        let made = tar.stdout(Stdio::piped()).output().unwrap();
        assert!(made.status.success() && made.stdout.len() < 1 << 20, "{way:?}");
        let mut layers = Layers::new();
        layers.add_archive(&made.stdout).unwrap_or_else(|error| panic!("{way:?}: {error:#}"));
        let path = layers.tree().join("f");
        assert!(fs::read(&path).unwrap() == content, "{way:?}");
        assert!(fs::metadata(&path).unwrap().blocks() * 512 < 1 << 20, "{way:?}");
    }
}

#[test]
fn global_headers_change_nothing() {
    fn global(records: &[u8]) -> Member<'_> {
        Member { kind: b'g', path: b"pax_global_header", content: records, ..Member::default() }
    }
    let comment = record("comment", b"a commit");
    let layers = Layers::of(&[&[global(&comment), file("f", "1"), global(&comment), file("g", "2")]]);
    assert_eq!(layers.shows(), "f=1 g=2");
    for key in ["path", "size", "linkpath", "GNU.sparse.size"] {
        let records = record(key, b"1");
        let mut layers = Layers::new();
        let error = layers.add_archive(&archive(&[global(&records), file("f", "1")])).unwrap_err();
        assert!(format!("{error:#}").contains("a global header gives all members one"), "{error:#}");
    }
    // It belongs between members, not between a member and what is said about it.
    let mtime = record("mtime", b"5");
    let layers = Layers::of(&[&[pax(&mtime), global(&comment), file("f", "1")]]);
    assert_eq!(fs::metadata(layers.tree().join("f")).unwrap().mtime(), 5);
}
