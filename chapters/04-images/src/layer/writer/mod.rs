//! Writing a layer: a tar archive of changes.
//!
//! What fits goes into the header of ustar, which every tool reads: a path, octal numbers, a link's target. What does
//! not fit goes before it, as `key=value` records in POSIX's way ("pax"): long paths, large ids, nanoseconds, extended
//! attributes. No names of users are written, and no times but those of the files, so the same changes always give the
//! same bytes, and with them the same digest.
//!
//! Holes are written as the zeros that they read as. Tools that take archives apart and put them together again by
//! their headers, as docker and podman do, come to another digest for a file that is stored as sparse.
//!
//! Source: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Extended Header".

mod records;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use look::Error;
use nix::errno::Errno;
use nix::sys::stat::SFlag;
use nix::sys::time::TimeSpec;
use nix::unistd::{Whence, lseek};
use tar::{EntryType, Header};

use super::{BLOCK, Kind, RECORD_MAX};
use crate::changes::{Entry, TreeWalk};
use crate::tree::Attributes;
use records::{ID_MAX, NUMBER_MAX, Records};

/// The longest path that the kernel takes (limits.h, `PATH_MAX`, which counts a zero byte): a longer one could be
/// written, but nobody could unpack it.
const PATH_MAX: usize = 4095;
/// How much is read at a time.
const PIECE: usize = 256 << 10;

/// A layer that is being written.
pub struct LayerWriter<'a> {
    out: &'a mut dyn Write,
    /// Whether it is a tree, in which `.wh.` means nothing.
    flat: bool,
    buffer: Vec<u8>,
}

impl<'a> LayerWriter<'a> {
    /// To `out`. It gets small pieces: have a buffer in front.
    pub fn new(out: &'a mut dyn Write) -> LayerWriter<'a> {
        LayerWriter { out, flat: false, buffer: vec![0; PIECE] }
    }

    /// Likewise, for an archive of a whole tree instead of a layer.
    pub fn flat(out: &'a mut dyn Write) -> LayerWriter<'a> {
        LayerWriter { flat: true, ..LayerWriter::new(out) }
    }

    /// Writes `entry`, which has to be the last of `walk`, with its content.
    ///
    /// The header says how long a file is before it is read. Should it grow or shrink meanwhile, it is cut or filled
    /// up with zeros: the archive stays sound, as docker's does.
    pub fn put(&mut self, entry: &Entry, walk: &TreeWalk) -> Result<()> {
        self.entry(entry, walk).with_context(|| crate::shown(entry.path.as_os_str().as_bytes()))
    }

    /// Writes an empty file of this name: a marker.
    ///
    /// It has mode, owner and time zero, as docker's have: nothing of it is ever unpacked, so nothing of it should
    /// differ from one layer to another.
    pub fn marker(&mut self, path: &Path) -> Result<()> {
        let nothing = Attributes { uid: 0, gid: 0, mode: 0, mtime: TimeSpec::new(0, 0), xattrs: Vec::new() };
        let empty = Member { kind: EntryType::Regular, size: 0, link: b"", device: None };
        self.header(path, &empty, &nothing).with_context(|| crate::shown(path.as_os_str().as_bytes()))
    }

    /// Writes the end mark.
    pub fn finish(self) -> Result<()> {
        self.out.write_all(&[0; 2 * BLOCK as usize]).and_then(|()| self.out.flush()).context("write the archive")
    }

    fn entry(&mut self, entry: &Entry, walk: &TreeWalk) -> Result<()> {
        let name = entry.path.file_name().unwrap_or_default().as_bytes();
        ensure!(
            self.flat || !name.starts_with(b".wh."),
            "a layer cannot hold this: to whoever reads it, a name with `.wh.` in front means a deletion"
        );
        let mut member = Member { kind: EntryType::Regular, size: 0, link: b"", device: None };
        match &entry.kind {
            Kind::File { size, .. } => {
                let file = walk.content(entry)?;
                member.size = *size;
                self.header(&entry.path, &member, &entry.attributes)?;
                return self.copy(file, *size);
            }
            Kind::HardLink(target) => (member.kind, member.link) = (EntryType::Link, target.as_os_str().as_bytes()),
            Kind::Symlink(target) => (member.kind, member.link) = (EntryType::Symlink, target),
            Kind::Directory => member.kind = EntryType::Directory,
            Kind::Fifo => member.kind = EntryType::Fifo,
            Kind::Device { kind, major, minor } => {
                member.kind = if *kind == SFlag::S_IFBLK { EntryType::Block } else { EntryType::Char };
                member.device = Some((*major, *minor));
            }
        }
        self.header(&entry.path, &member, &entry.attributes)
    }

    /// Writes the header of a member, and before it what does not fit.
    fn header(&mut self, path: &Path, member: &Member<'_>, attributes: &Attributes) -> Result<()> {
        let mut path = path.as_os_str().as_bytes().to_vec();
        ensure!(path.len() <= PATH_MAX, "its path has {} bytes, more than can be unpacked anywhere", path.len());
        if member.kind == EntryType::Directory {
            path.push(b'/');
        }
        let mut records = Records::default();
        let mut header = Header::new_ustar();
        header.set_entry_type(member.kind);
        header.set_mode(attributes.mode);
        if !put_path(&mut header, &path) {
            records.add(b"path", &path);
        }
        if !put_bytes(&mut header.as_old_mut().linkname, member.link) {
            records.add(b"linkpath", member.link);
        }
        header.set_size(records.number("size", member.size, NUMBER_MAX));
        header.set_uid(records.number("uid", attributes.uid.into(), ID_MAX));
        header.set_gid(records.number("gid", attributes.gid.into(), ID_MAX));
        header.set_mtime(records.time(attributes.mtime));
        if let Some((major, minor)) = member.device {
            header.set_device_major(major).and_then(|()| header.set_device_minor(minor)).context("a device number")?;
        }
        records.xattrs(attributes);
        self.records(&records, &path)?;
        self.block(header)
    }

    /// Writes a member with records about the one that follows, if there are any.
    fn records(&mut self, records: &Records, path: &[u8]) -> Result<()> {
        let records = records.bytes();
        let size = records.len() as u64;
        if size == 0 {
            return Ok(());
        }
        ensure!(size <= RECORD_MAX, "its extended attributes have {size} bytes, and {RECORD_MAX} is what tools read");
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        // Only a tool that knows nothing of such records shows this name.
        let name: Vec<u8> = path.rsplit(|b| *b == b'/').find(|part| !part.is_empty()).unwrap_or_default().to_vec();
        let name = [b"PaxHeaders/", name.as_slice()].concat();
        put_bytes(&mut header.as_old_mut().name, &name);
        self.block(header)?;
        self.out.write_all(records).context("write the archive")?;
        self.fill(size.next_multiple_of(BLOCK) - size)
    }

    fn block(&mut self, mut header: Header) -> Result<()> {
        header.set_cksum();
        self.out.write_all(header.as_bytes()).context("write the archive")
    }

    /// Writes `size` bytes of `file`, those that it does not have as zeros, up to a whole block.
    fn copy(&mut self, mut file: &File, size: u64) -> Result<()> {
        let mut at = 0;
        while at < size {
            let (start, end) = next_data(file, at)?;
            let (start, end) = (start.min(size), end.min(size));
            self.fill(start - at)?;
            file.seek(SeekFrom::Start(start)).context("seek")?;
            at = start;
            while at < end {
                let most = (end - at).min(PIECE as u64) as usize;
                let count = match file.read(&mut self.buffer[..most]) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    count => count.context("read")?,
                };
                if count == 0 {
                    self.fill(end - at)?;
                    at = end;
                }
                self.out.write_all(&self.buffer[..count]).context("write the archive")?;
                at += count as u64;
            }
        }
        self.fill(size.next_multiple_of(BLOCK) - size)
    }

    fn fill(&mut self, count: u64) -> Result<()> {
        io::copy(&mut io::repeat(0).take(count), self.out).map(drop).context("write the archive")
    }
}

/// What a member is, as far as its header goes.
struct Member<'a> {
    kind: EntryType,
    size: u64,
    link: &'a [u8],
    device: Option<(u32, u32)>,
}

/// The next part of `file` from `at` on that is not a hole; after the last one, the end of what a file can be.
fn next_data(file: &File, at: u64) -> Result<(u64, u64)> {
    let seek = |at, whence| match lseek(file, at, whence) {
        Err(Errno::ENXIO) => Ok(i64::MAX),
        found => found.map_err(|errno| Error::call("lseek", "it", errno)),
    };
    let start = seek(at as i64, Whence::SeekData)?;
    let end = if start == i64::MAX { start } else { seek(start, Whence::SeekHole)? };
    Ok((start as u64, end as u64))
}

/// Writes `bytes` into a field as far as they fit, and says whether all did.
fn put_bytes(field: &mut [u8], bytes: &[u8]) -> bool {
    let count = bytes.len().min(field.len());
    field[..count].copy_from_slice(&bytes[..count]);
    count == bytes.len()
}

/// Writes a path, whole or split in two at one of its slashes, and says whether it fits.
fn put_path(header: &mut Header, path: &[u8]) -> bool {
    let Some(fields) = header.as_ustar_mut() else { return false };
    if path.len() <= fields.name.len() {
        return put_bytes(&mut fields.name, path);
    }
    let earliest = path.len() - fields.name.len() - 1;
    let latest = fields.prefix.len().min(path.len() - 2);
    match (earliest..=latest).find(|at| path[*at] == b'/') {
        Some(at) => put_bytes(&mut fields.prefix, &path[..at]) && put_bytes(&mut fields.name, &path[at + 1..]),
        None => {
            put_bytes(&mut fields.name, path);
            false
        }
    }
}
