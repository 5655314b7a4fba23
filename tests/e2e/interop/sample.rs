//! An image with one of everything: each kind of file, each way to change one in the next layer.
//!
//! It is made from scratch, so that no program has had a say in it before the one that is tested. Its only program is
//! `/true`, which is here in machine code.

use std::io::Write;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use tar::EntryType;

use super::builder::Builder;
use super::call;

/// Everything of interest is in this directory.
pub const DIR: &str = "data";

/// Directories that no layer mentions: what they are like is for each program to say.
pub const UNMENTIONED: &[&str] = &["data/dir-gone", "data/kept/a"];

/// A moment with a part of a second.
const WHEN: &str = "1234567890.123456789";

/// The layers, bottom first.
pub fn layers() -> Vec<Vec<u8>> {
    vec![bottom(), middle(), top()]
}

fn bottom() -> Vec<u8> {
    let mut layer = Builder::new();
    for dir in ["dev/", "etc/", "proc/", "sys/", "tmp/"] {
        layer.add(EntryType::Directory, dir).data(b"");
    }
    layer.add(EntryType::Regular, "true").mode(0o755).data(&nothing_to_do());
    layer.add(EntryType::Regular, "etc/passwd").data(b"root:x:0:0:root:/:/true\nme:x:7:8:me:/data:/true\n");
    layer.add(EntryType::Directory, "data/").mode(0o750).owner(7, 8).data(b"");
    layer.add(EntryType::Regular, "data/plain").mode(0o640).owner(1000, 1001).pax("mtime", WHEN).data(b"plain\n");
    layer.add(EntryType::Regular, "data/suid").mode(0o4755).owner(0, 8).data(b"suid");
    layer.add(EntryType::Directory, "data/sticky/").mode(0o1777).data(b"");
    layer.add(EntryType::Symlink, "data/link").owner(3, 4).link("../data/plain");
    layer.add(EntryType::Symlink, "data/dangling").link("/no/where");
    layer.add(EntryType::Regular, "data/hard-1").mode(0o600).data(b"three names");
    layer.add(EntryType::Link, "data/hard-2").mode(0o600).link("data/hard-1");
    layer.add(EntryType::Link, "data/hard-3").mode(0o600).link("data/hard-1");
    layer.add(EntryType::Fifo, "data/fifo").mode(0o622).data(b"");
    layer.add(EntryType::Regular, "data/empty").mode(0o000).data(b"");
    layer.add(EntryType::Regular, "data/attributes").pax("SCHILY.xattr.user.note", "from below").data(b"");
    layer.add(EntryType::Regular, "data/a blank, \u{fc}ml\u{e4}uts and\na line").data(b"odd");
    let long = format!("data/{}/", "long".repeat(30));
    layer.add(EntryType::Directory, &long).data(b"");
    layer.add(EntryType::Regular, &format!("{long}{}", "name".repeat(40))).data(b"long");
    layer.add(EntryType::Regular, "data/old").pax("mtime", "-1000000000.5").data(b"before 1970");
    if geteuid().is_root() {
        layer.add(EntryType::Char, "data/null").mode(0o666).device(1, 3);
        layer.add(EntryType::Block, "data/loop").mode(0o660).owner(0, 6).device(7, 0);
        layer.add(EntryType::Regular, "data/capable").mode(0o755).capability().data(b"ping");
    }
    for file in ["gone", "dir-gone/a", "dir-gone/b", "opaque/a", "opaque/b", "to-dir", "to-file/a", "back", "kept/a/b"]
    {
        layer.add(EntryType::Regular, &format!("data/{file}")).data(file.as_bytes());
    }
    layer.add(EntryType::Directory, "data/kept/").mode(0o700).owner(9, 9).data(b"");
    layer.end()
}

/// Takes away, and changes what things are.
fn middle() -> Vec<u8> {
    let mut layer = Builder::new();
    layer.add(EntryType::Directory, "data/").mode(0o751).owner(7, 9).data(b"");
    for hidden in ["gone", "dir-gone", "back"] {
        layer.add(EntryType::Regular, &format!("data/.wh.{hidden}")).data(b"");
    }
    layer.add(EntryType::Directory, "data/opaque/").mode(0o711).data(b"");
    layer.add(EntryType::Regular, "data/opaque/.wh..wh..opq").data(b"");
    layer.add(EntryType::Regular, "data/opaque/c").data(b"new");
    layer.add(EntryType::Directory, "data/to-dir/").data(b"");
    layer.add(EntryType::Regular, "data/to-dir/inside").data(b"was a file");
    layer.add(EntryType::Regular, "data/to-file").data(b"was a directory");
    // One name of three means another file now.
    layer.add(EntryType::Regular, "data/hard-2").data(b"on its own");
    layer.add(EntryType::Symlink, "data/suid").link("plain");
    layer.end()
}

/// Brings back, and adds in directories that it does not mention.
fn top() -> Vec<u8> {
    let mut layer = Builder::new();
    layer.add(EntryType::Regular, "data/back").mode(0o604).data(b"again");
    layer.add(EntryType::Regular, "data/kept/a/c").data(b"beside b");
    layer.add(EntryType::Regular, "data/dir-gone/d").data(b"alone");
    // Its time is the last thing that is said.
    layer.add(EntryType::Directory, "data/").mode(0o751).owner(7, 9).data(b"");
    layer.end()
}

/// An image with these layers as an OCI layout in `dir/oci`, called `sample`. umoci makes it.
pub fn by_umoci(dir: &Path) -> PathBuf {
    let layout = dir.join("oci");
    let image = reference(&layout);
    call("umoci", ["init", "--layout", layout.to_str().unwrap()]);
    call("umoci", ["new", "--image", &image]);
    for (number, layer) in layers().into_iter().enumerate() {
        let file = dir.join(format!("layer-{number}.tar"));
        std::fs::write(&file, layer).unwrap();
        call("umoci", ["raw", "add-layer", "--image", &image, file.to_str().unwrap()]);
    }
    let config = ["--config.cmd=/true", "--config.user=me", "--config.workingdir=/data", "--config.env=A=b c"];
    call("umoci", ["config", "--image", &image].into_iter().chain(config));
    layout
}

/// What umoci and skopeo call the image in a layout.
pub fn reference(layout: &Path) -> String {
    format!("{}:sample", layout.display())
}

/// Everything in a directory as an archive.
pub fn packed(dir: &Path) -> PathBuf {
    let archive = dir.with_extension("tar");
    call("tar", ["-C", dir.to_str().unwrap(), "-cf", archive.to_str().unwrap(), "."]);
    archive
}

/// A program that ends well: a header, one segment, and the system call `exit(0)`.
pub fn nothing_to_do() -> Vec<u8> {
    let (machine, code): (u16, &[u8]) = match std::env::consts::ARCH {
        // mov eax, 60; xor edi, edi; syscall
        "x86_64" => (62, b"\xb8\x3c\0\0\0\x31\xff\x0f\x05"),
        // mov x8, 93; mov x0, 0; svc 0
        "aarch64" => (183, b"\xa8\x0b\x80\xd2\0\0\x80\xd2\x01\0\0\xd4"),
        other => panic!("no program for {other}"),
    };
    const START: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(16, 0);
    let mut put = |bytes: &[u8]| program.write_all(bytes).unwrap();
    for half in [2, machine, 1, 0] {
        put(&half.to_le_bytes());
    }
    for word in [START + HEADERS, 64, 0] {
        put(&word.to_le_bytes());
    }
    put(&0_u32.to_le_bytes());
    for half in [64_u16, 56, 1, 0, 0, 0] {
        put(&half.to_le_bytes());
    }
    let size = HEADERS + code.len() as u64;
    // One segment that is loaded, to be read and executed.
    put(&1_u32.to_le_bytes());
    put(&5_u32.to_le_bytes());
    for word in [0, START, START, size, size, 0x1000] {
        put(&word.to_le_bytes());
    }
    put(code);
    program
}
