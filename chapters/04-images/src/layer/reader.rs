//! The walk through an archive, from block to block.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::stat::SFlag;
use tar::{EntryType, Header};

use super::markers::{self, Meaning};
use super::{BLOCK, Extent, Kind, Member, RECORD_MAX, fields, pax, sparse};

/// A layer, read from the front: a tar archive, without its compression.
pub struct Layer<'a> {
    stream: &'a mut dyn Read,
    /// What the current member still has: content, then what fills up its last block.
    content: u64,
    padding: u64,
    members: u64,
    needs_end_mark: bool,
}

/// What the members before a member say about it.
#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: pax::Records,
}

impl<'a> Layer<'a> {
    /// The archive that `stream` holds. It is read in small pieces: have a buffer in front.
    pub fn new(stream: &'a mut dyn Read) -> Layer<'a> {
        Layer { stream, content: 0, padding: 0, members: 0, needs_end_mark: true }
    }

    /// The same, of a stream whose digest is known and will be compared. So it is not cut off, even if it has no end
    /// mark: some tools leave that out.
    pub(crate) fn of_known_digest(stream: &'a mut dyn Read) -> Layer<'a> {
        Layer { needs_end_mark: false, ..Layer::new(stream) }
    }

    /// The next member, or `None` at the end mark. What is left of the content of the one before is skipped.
    pub fn next_member(&mut self) -> Result<Option<Member>> {
        let mut extensions = None;
        loop {
            let Some(header) = self.header()? else {
                ensure!(extensions.is_none(), "the archive ends where a member was announced");
                return Ok(None);
            };
            let kind = header.entry_type();
            if kind.is_pax_global_extensions() {
                pax::check_global(&self.record().context("read a global header")?)?;
                continue;
            }
            let known = extensions.get_or_insert_with(Extensions::default);
            match kind {
                EntryType::GNULongName => known.path = Some(until_nul(self.record().context("read a long name")?)),
                EntryType::GNULongLink => known.link = Some(until_nul(self.record().context("read a long link")?)),
                EntryType::XHeader => known.pax = pax::parse(&self.record().context("read a pax header")?)?,
                _ => match self.member(&header, std::mem::take(known))? {
                    Some(member) => return Ok(Some(member)),
                    None => extensions = None,
                },
            }
        }
    }

    /// Reads from the content of the current member; 0 bytes at its end.
    pub(crate) fn read_content(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let most = self.content.min(buffer.len() as u64) as usize;
        if most == 0 {
            return Ok(0);
        }
        let count = read(self.stream, &mut buffer[..most])?;
        ensure!(count > 0, "the archive is cut off in the middle of a file");
        self.content -= count as u64;
        Ok(count)
    }

    /// The next header, with the size of its content noted.
    fn header(&mut self) -> Result<Option<Header>> {
        let rest = self.content + self.padding;
        io::copy(&mut (&mut self.stream).take(rest), &mut io::sink()).context("read the archive")?;

        let mut header = Header::new_old();
        if !self.needs_end_mark && self.is_at_its_end(header.as_mut_bytes())? {
            return Ok(None);
        }
        let read = if self.needs_end_mark { 0 } else { 1 };
        self.block(&mut header.as_mut_bytes()[read..])?;
        if header.as_bytes() == &[0; BLOCK as usize] {
            return Ok(None);
        }
        if !fields::checksum_is_right(&header) {
            ensure!(self.members > 0, "this is not a tar archive");
            bail!("the archive is damaged: the header after {} member(s) has a wrong checksum", self.members);
        }
        self.members += 1;
        self.expect(fields::size(&header)?)?;
        Ok(Some(header))
    }

    /// Notes that `size` bytes of content follow.
    fn expect(&mut self, size: u64) -> Result<()> {
        ensure!(size <= i64::MAX as u64, "the archive has a member of {size} bytes, which no file system can hold");
        self.content = size;
        self.padding = size.next_multiple_of(BLOCK) - size;
        Ok(())
    }

    /// Whether nothing comes any more. Otherwise the first byte of `block` is read.
    fn is_at_its_end(&mut self, block: &mut [u8]) -> Result<bool> {
        Ok(read(self.stream, &mut block[..1])? == 0)
    }

    fn block(&mut self, block: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < block.len() {
            match read(self.stream, &mut block[filled..])? {
                0 if self.members > 0 => {
                    bail!("the archive is cut off: it ends after {} member(s) without an end mark", self.members)
                }
                0 if filled == 0 && block.len() as u64 == BLOCK => bail!("the archive is empty"),
                0 => bail!("this is not a tar archive"),
                count => filled += count,
            }
        }
        Ok(())
    }

    /// The content of the current member, which is about the one that follows.
    fn record(&mut self) -> Result<Vec<u8>> {
        ensure!(self.content <= RECORD_MAX, "it has {} bytes, and {RECORD_MAX} is the most it may have", self.content);
        let mut record = vec![0; self.content as usize];
        self.block(&mut record)?;
        self.content = 0;
        Ok(record)
    }

    /// The member that `header` and what came before say. `None` if it is nothing to anybody.
    fn member(&mut self, header: &Header, mut known: Extensions) -> Result<Option<Member>> {
        let name = known.path.take().or(known.pax.path.take()).unwrap_or_else(|| header.path_bytes().into_owned());
        let shown = || crate::shown(&name);
        let path = clean(&name)?;
        let kind = self.kind(header, &mut known, name.ends_with(b"/")).with_context(shown)?;
        let is_file = matches!(kind, Kind::File { .. });
        let content = self.content;
        ensure!(is_file || content == 0, "{}: it is no file, but has {content} bytes of content", shown());
        match markers::meaning(&path, &kind).with_context(shown)? {
            Meaning::InNote => Ok(None),
            Meaning::File => {
                let attributes = fields::attributes(header, known.pax).with_context(shown)?;
                Ok(Some(Member { path, kind, attributes }))
            }
            Meaning::Marker => {
                let kind = Kind::File { size: 0, extents: Vec::new() };
                Ok(Some(Member { path, kind, attributes: fields::attributes(header, known.pax).with_context(shown)? }))
            }
        }
    }

    fn kind(&mut self, header: &Header, known: &mut Extensions, ends_with_slash: bool) -> Result<Kind> {
        let link = known.link.take().or(known.pax.link.take());
        let link = link.or_else(|| header.link_name_bytes().map(|name| name.into_owned()));
        let link = || link.context("a link without a target");
        if let Some(size) = known.pax.size {
            self.expect(size)?;
        }
        Ok(match header.entry_type() {
            // From before there was a type for directories.
            EntryType::Regular if ends_with_slash => Kind::Directory,
            EntryType::Regular | EntryType::Continuous if known.pax.map.sparse => {
                let mut content = self.content;
                let map = std::mem::take(&mut known.pax.map);
                let (size, extents) = sparse::of_pax(map, &mut content, |block| self.block(block))?;
                self.content = content;
                Kind::File { size, extents }
            }
            EntryType::Regular | EntryType::Continuous => {
                Kind::File { size: self.content, extents: vec![Extent { offset: 0, length: self.content }] }
            }
            EntryType::GNUSparse => {
                let (size, extents) = sparse::of_gnu(header, self.content, |block| self.block(block))?;
                Kind::File { size, extents }
            }
            EntryType::Link => Kind::HardLink(clean(&link()?)?),
            EntryType::Symlink => Kind::Symlink(link()?),
            EntryType::Directory => Kind::Directory,
            EntryType::Fifo => Kind::Fifo,
            EntryType::Char => fields::device(header, SFlag::S_IFCHR)?,
            EntryType::Block => fields::device(header, SFlag::S_IFBLK)?,
            other => bail!("a member of the unknown type {:?}", char::from(other.as_byte())),
        })
    }
}

fn read(stream: &mut dyn Read, buffer: &mut [u8]) -> Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            // The compression around it ends too early.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => bail!("the archive is cut off"),
            done => return done.context("read the archive"),
        }
    }
}

/// The name of a member as a path below the root; empty for the root itself.
fn clean(name: &[u8]) -> Result<PathBuf> {
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::ParentDir => {
                bail!("the archive has the name {}, which points outside with `..`", crate::shown(name))
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    ensure!(!name.contains(&0), "the archive has a name with a zero byte in it");
    Ok(path)
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    bytes
}
