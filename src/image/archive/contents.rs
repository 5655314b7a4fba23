//! What is where in an archive.
//!
//! The archive is walked through once, from header to header. After that its members can be read in any order, and
//! several at once. Names are keys of a table and nothing else: no file is ever opened by one.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use images::oci::Descriptor;
use images::store::DOCUMENT_MAX;
use images::{Digest, Kind, Layer, Member, shown, shown_path};

use super::section::Section;

/// The most that the names in an archive may take in memory.
const NAMES_MAX: usize = 32 << 20;
/// No path that is longer leads anywhere (limits.h, with its final zero).
const PATH_MAX: usize = 4096;
/// A link may lead to a link. So often, it leads in circles.
const LINKS_MAX: usize = 8;

/// An archive in a file, and the table of what it has.
#[derive(Debug)]
pub struct Contents {
    file: File,
    members: HashMap<PathBuf, Place>,
}

/// What stands for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File(Extent),
    /// A symlink or hard link, to a path from the root of the archive.
    Link(PathBuf),
    /// Something of which only the name is known.
    Other,
}

impl Place {
    /// How much it takes besides its own size.
    fn length(&self) -> usize {
        match self {
            Place::Link(target) => target.as_os_str().len(),
            Place::File(_) | Place::Other => 0,
        }
    }
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// From the start of the archive.
    offset: u64,
    /// How many there are.
    pub size: u64,
}

impl Contents {
    /// Walks through the archive that begins at `start` in `file`.
    pub fn of(file: File, start: u64) -> Result<Contents> {
        let length = file.metadata().context("stat the archive")?.len();
        let (at, skip) = (Cell::new(start), Cell::new(0));
        let mut walk = Walk { file: &file, at: &at, skip: &skip };
        let mut layer = Layer::new(&mut walk);
        let (mut members, mut taken) = (HashMap::new(), 0);
        while let Some(member) = layer.next_member()? {
            if let Kind::File { extents, .. } = &member.kind {
                let content = extents.iter().map(|extent| extent.length).sum();
                let fits = at.get().checked_add(content).is_some_and(|end| end <= length);
                ensure!(fits, "the archive is cut off in {}", shown_path(&member.path));
                skip.set(content);
            }
            let place = place(&member, at.get());
            let target = target_length(&member.kind);
            ensure!(target <= PATH_MAX, "the link {} leads to a name of {target} bytes", shown_path(&member.path));
            taken += size_of::<(PathBuf, Place)>() + member.path.as_os_str().len() + place.length();
            ensure!(taken <= NAMES_MAX, "the archive has too many members to keep in mind");
            let before = members.insert(member.path.clone(), place.clone());
            // Which of the two counts depends on who reads it.
            let twice = before.is_some_and(|before| before != Place::Other && before != place);
            ensure!(!twice, "the archive has {} twice", shown_path(&member.path));
        }
        Ok(Contents { file, members })
    }

    /// Whether there is something of this name.
    pub fn has(&self, path: &str) -> bool {
        self.members.contains_key(Path::new(path))
    }

    /// Finds the file that `path` leads to.
    pub fn find(&self, path: &str) -> Result<Extent> {
        let context = || format!("the archive has no {}", shown(path.as_bytes()));
        let mut path = resolve(Path::new(""), Path::new(path)).with_context(context)?;
        for _ in 0..LINKS_MAX {
            match self.members.get(&path).with_context(context)? {
                Place::File(extent) => return Ok(*extent),
                Place::Link(target) => path = target.clone(),
                Place::Other => bail!("in the archive, {} is no file", shown_path(&path)),
            }
        }
        bail!("in the archive, the link {} leads in circles", shown_path(&path))
    }

    /// Reads a small file.
    pub fn document(&self, path: &str) -> Result<Vec<u8>> {
        let extent = self.find(path)?;
        let size = extent.size;
        let shown = shown(path.as_bytes());
        ensure!(size <= DOCUMENT_MAX, "{shown} has {size} bytes: {DOCUMENT_MAX} is the most that a document may have");
        let mut bytes = Vec::with_capacity(size as usize);
        self.reader(extent).read_to_end(&mut bytes).with_context(|| format!("read {shown}"))?;
        Ok(bytes)
    }

    /// Reads a small file of an image layout, and checks that it is what is said about it.
    pub fn blob(&self, Descriptor { digest, size, .. }: &Descriptor) -> Result<Vec<u8>> {
        let bytes = self.document(&blob_path(digest))?;
        let (found, length) = (Digest::of(&bytes), bytes.len() as u64);
        ensure!(found == *digest, "the archive is damaged: what it has as {digest} is {found}");
        ensure!(length == *size, "{digest} has {length} bytes, and it is said to have {size}");
        Ok(bytes)
    }

    /// The bytes of a file. Several can be read at once.
    pub fn reader(&self, extent: Extent) -> Section<'_> {
        Section::new(&self.file, extent.offset, extent.size)
    }
}

/// Where an image layout has what is called `digest`.
pub fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// What a member is, whose content begins at `offset`.
fn place(member: &Member, offset: u64) -> Place {
    match &member.kind {
        Kind::File { size, extents } if matches!(&extents[..], [one] if one.offset == 0 && one.length == *size) => {
            Place::File(Extent { offset, size: *size })
        }
        Kind::HardLink(target) => Place::Link(target.clone()),
        Kind::Symlink(target) => {
            let dir = member.path.parent().unwrap_or(Path::new(""));
            resolve(dir, Path::new(OsStr::from_bytes(target))).map_or(Place::Other, Place::Link)
        }
        _ => Place::Other,
    }
}

/// How long the name is that a link leads to.
fn target_length(kind: &Kind) -> usize {
    match kind {
        Kind::Symlink(target) => target.len(),
        Kind::HardLink(target) => target.as_os_str().len(),
        _ => 0,
    }
}

/// The path from the root of the archive that `path`, seen from `dir`, means. `None` if it leads out.
fn resolve(dir: &Path, path: &Path) -> Option<PathBuf> {
    let mut resolved = dir.to_owned();
    for component in path.components() {
        match component {
            Component::Normal(name) => resolved.push(name),
            Component::ParentDir => resolved.pop().then_some(())?,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(resolved)
}

/// Reads headers one by one. What is between them is counted as read, but is not.
struct Walk<'a> {
    file: &'a File,
    at: &'a Cell<u64>,
    /// How much of what follows is the content of a member.
    skip: &'a Cell<u64>,
}

impl Read for Walk<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.skip.get() {
            0 => self.file.read_at(buffer, self.at.get())?,
            skip => {
                let count = skip.min(buffer.len() as u64);
                self.skip.set(skip - count);
                count as usize
            }
        };
        self.at.set(self.at.get() + count as u64);
        Ok(count)
    }
}
