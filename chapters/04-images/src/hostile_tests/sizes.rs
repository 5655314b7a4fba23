//! Layers that are far larger than they look: nothing of them fills the memory, and nothing the disk.
//!
//! These are run in a process of their own, which may have little memory; and for the disk in a mount namespace, with a
//! small file system for the store.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::resource::{Resource, setrlimit};

use super::{assert_says, stored};
use crate::test_dir::alone;
use crate::test_tar::{Member, archive, bytes, dir, file, hard_link, long_name};
use crate::{Expected, Layer, Store, apply_layer};

/// A small file system.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: PathBuf, options: &str) -> Disk {
        std::fs::create_dir(&path).unwrap();
        mount(Some("tmpfs"), &path, Some("tmpfs"), MsFlags::empty(), Some(options)).unwrap();
        Disk(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        umount2(&self.0, MntFlags::MNT_DETACH).unwrap();
    }
}

fn with_memory(megabytes: u64) {
    setrlimit(Resource::RLIMIT_DATA, megabytes << 20, megabytes << 20).unwrap();
}

/// The same bytes again and again.
struct Repeated<'a> {
    bytes: &'a [u8],
    at: usize,
    left: u64,
}

impl Read for Repeated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && self.left > 0 {
            let rest = &self.bytes[self.at..];
            let count = rest.len().min(buffer.len() - filled);
            buffer[filled..][..count].copy_from_slice(&rest[..count]);
            filled += count;
            self.at += count;
            if self.at == self.bytes.len() {
                (self.at, self.left) = (0, self.left - 1);
            }
        }
        Ok(filled)
    }
}

fn repeated(bytes: &[u8], times: u64) -> Repeated<'_> {
    Repeated { bytes, at: 0, left: times }
}

fn unpack(store: &Path, layer: &mut (dyn Read + Send)) -> anyhow::Result<()> {
    let store = Store::open(store);
    let writer = store.write()?;
    let received = writer.receive(layer, &Expected::default(), apply_layer)?;
    writer.place(received, None).map(drop)
}

#[test]
fn members_without_end_take_no_memory() {
    alone("hostile_tests::sizes::members_without_end", false);
}

#[test]
#[ignore = "run by members_without_end_take_no_memory"]
fn members_without_end() {
    with_memory(16);
    let members = [bytes(&dir("d")), bytes(&file("d/file", "")), bytes(&file("d/.wh.gone", ""))].concat();
    let mut stream = io::BufReader::with_capacity(1 << 16, repeated(&members, 100_000).chain(&[0; 1024][..]));
    let (mut layer, mut count) = (Layer::new(&mut stream), 0);
    while layer.next_member().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 300_000);
}

#[test]
fn directories_and_links_without_end_are_refused() {
    alone("hostile_tests::sizes::directories_and_links", false);
}

#[test]
#[ignore = "run by directories_and_links_without_end_are_refused"]
fn directories_and_links() {
    with_memory(512);
    let temp = crate::test_dir::TestDir::new();
    let store = temp.path().join("store");
    let long = format!("{}/", "d".repeat(255)).repeat(15);
    // Directories that are described again and again.
    let described = [bytes(&long_name(long.as_bytes())), bytes(&dir("x"))].concat();
    let error = unpack(&store, &mut repeated(&described, 100_000)).unwrap_err();
    assert_says(&format!("{error:#}"), "too many directories to keep in mind");
    assert_eq!(stored(&store), [""; 0]);
    // Hard links to what may be in a layer below.
    let target = Member { kind: b'K', path: b"././@LongLink", content: long.as_bytes(), ..Member::default() };
    let linked = [bytes(&target), bytes(&hard_link("f", "x"))].concat();
    let error = unpack(&store, &mut repeated(&linked, 100_000)).unwrap_err();
    assert_says(&format!("{error:#}"), "too many hard links");
    assert_eq!(stored(&store), [""; 0]);
}

#[test]
fn a_bomb_does_not_fill_the_disk() {
    alone("hostile_tests::sizes::bombs_on_a_small_disk", true);
}

#[test]
#[ignore = "run by a_bomb_does_not_fill_the_disk"]
fn bombs_on_a_small_disk() {
    let temp = crate::test_dir::TestDir::new();
    let disk = Disk::mount(temp.path().join("disk"), "size=64m,nr_inodes=8000");
    let store = disk.0.join("store");
    with_memory(128);
    let refuses = |what: &str, layer: &mut (dyn Read + Send), words: &str| {
        let error = unpack(&store, layer).unwrap_err();
        let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
        let is_full = causes.any(|cause| cause.kind() == io::ErrorKind::StorageFull);
        let error = format!("{error:#}");
        assert!(is_full && error.contains(words), "{what}: {error}");
        assert_eq!(stored(&store), [""; 0], "{what}");
        let free = nix::sys::statvfs::statvfs(&disk.0).unwrap();
        assert!(free.blocks_available() * 10 > free.blocks() * 9, "{what}: something was left");
    };
    // As zstd has them: a block of 128 KiB in four bytes. These are 1 TiB.
    let block = [&((1u32 << 17 << 3 | 0b010).to_le_bytes()[..3])[..], b"x"].concat();
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let size = 1u64 << 40;
    let header = bytes(&Member { path: b"big", size: Some(size), ..Member::default() });
    let raw = [&(512u32 << 3).to_le_bytes()[..3], &header].concat();
    let mut bomb = (&frame[..]).chain(&raw[..]).chain(repeated(&block, size >> 17));
    refuses("one large file", &mut bomb, "there is room for");
    // In files of which each would fit.
    let header = bytes(&Member { path: b"part", size: Some(8 << 20), ..Member::default() });
    let parts: Vec<u8> = (0..1000u32)
        .flat_map(|number| {
            let mut header = tar::Header::from_byte_slice(&header).clone();
            header.set_path(format!("part{number}")).unwrap();
            let header = crate::test_tar::sealed(header, b"");
            [&(512u32 << 3).to_le_bytes()[..3], &header, &block.repeat(64)].concat()
        })
        .collect();
    refuses("many files", &mut (&frame[..]).chain(&parts[..]), "the disk is full but for");
    // In names alone.
    let names: Vec<u8> = (0..10_000).flat_map(|number| bytes(&file(&format!("name{number}"), ""))).collect();
    refuses("many names", &mut names.as_slice(), "the disk has no inodes but for");
    // In the blob, of which nothing is unpacked: frames that zstd skips.
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18][..], &(64u32 << 10).to_le_bytes(), &[b's'; 64 << 10]].concat();
    refuses("skipped frames", &mut repeated(&skipped, 1 << 20), "the disk is full but for");
    // In what is said of it: nothing is read.
    let expected = Expected { size: Some(62 << 20), ..Expected::default() };
    let mut unread = repeated(b"x", 1);
    let error = Store::open(&store).write().unwrap().receive(&mut unread, &expected, apply_layer).unwrap_err();
    assert_says(&format!("{error:#}"), "it is said to have 65011712 bytes, and there is room for");
    assert_eq!((unread.left, stored(&store)), (1, Vec::new()));
    // Zeros take no room, however many they are.
    let zeros = [&((1u32 << 17 << 3 | 0b010).to_le_bytes()[..3])[..], b"\0"].concat();
    let header = bytes(&Member { path: b"zeros", size: Some(48 << 20), ..Member::default() });
    let raw = [&(512u32 << 3).to_le_bytes()[..3], &header].concat();
    let last = [&(1024u32 << 3 | 1).to_le_bytes()[..3], &[0; 1024]].concat();
    let honest = [&frame[..], &raw, &zeros.repeat(384), &last].concat();
    (0..3).for_each(|_| unpack(&store, &mut honest.as_slice()).unwrap());
    // And what is too much for the disk leaves room for others.
    let archive = archive(&[file("f", "")]);
    unpack(&store, &mut archive.as_slice()).unwrap();
}
