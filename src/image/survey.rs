//! What each layer of an image holds, and what it hides of those below it.
//!
//! Nothing that is in a layer ever goes away: a layer above can only put something in front of it, or a note that it is
//! not to be seen. Both cost what is hidden. So each layer is walked, with all the layers below it followed beside as
//! one, and what it has is looked up there.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result};
use images::tree::is;
use images::{Digest, Entry, Image, Kind, Stack, Store, TreeWalk, shown_path};
use namespaces::identity;
use nix::sys::stat::{FileStat, SFlag};
use serde::Serialize;

/// How many of the biggest files of a layer are named.
const BIGGEST: usize = 3;

/// What a layer holds.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Holdings {
    /// Names of files.
    pub files: u64,
    /// Directories, also those that are in a layer below as well.
    pub directories: u64,
    /// Symlinks.
    pub symlinks: u64,
    /// Device nodes and fifos.
    pub others: u64,
    /// Notes that something below is deleted, with all that is in it; an opaque directory counts once.
    pub deleted: u64,
    /// Things that stand in front of something below.
    pub replaced: u64,
    /// How many bytes of the layers below this one hides.
    pub hides: u64,
    /// How many bytes of this one the layers above hide.
    pub hidden: u64,
    /// The biggest files, the biggest first.
    pub biggest: Vec<BigFile>,
}

/// A file that takes much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BigFile {
    /// Where it is, without the slash in front, fit to be printed.
    pub path: String,
    /// How long it is.
    pub size: u64,
    /// Whether a layer above hides it.
    pub hidden: bool,
}

/// What the layers of `image` hold, bottom first. Call it as whoever may read all of them: see [`crate::lent_ids`].
pub fn survey(store: &Store, image: &Image) -> Result<Vec<Holdings>> {
    let trees = store.trees(image);
    let mut holdings: Vec<Holdings> = Vec::new();
    for at in 0..trees.len() {
        holdings.push(Holdings::default());
        let walk = Walk { below: Stack::open(trees[..at].iter())?, levels: Vec::new(), holdings: &mut holdings };
        walk.run(&trees[at]).with_context(|| format!("layer {}", trees[at].display()))?;
    }
    Ok(holdings)
}

/// The other images of the store that have a layer of this chain id, by name.
pub fn sharers(images: &[Image], image: &Image, layer: &Digest) -> Vec<String> {
    let others = images.iter().filter(|other| other.id != image.id);
    let sharing = others.filter(|other| other.layers.iter().any(|known| known.chain_id == *layer));
    let shortest = |image: &Image| image.names.iter().map(ToString::to_string).min_by_key(String::len);
    sharing.map(|other| shortest(other).unwrap_or_else(|| other.id.short())).collect()
}

/// A walk through one layer.
struct Walk<'a> {
    /// The layers below it, as one.
    below: Stack,
    /// The directories from the top down to where the walk is: whether `below` has them, too.
    levels: Vec<bool>,
    /// Those of the layers below, and of this one.
    holdings: &'a mut Vec<Holdings>,
}

impl Walk<'_> {
    fn run(mut self, tree: &Path) -> Result<()> {
        let mut layer = TreeWalk::upper(tree, !identity::is_the_machines_root())?;
        while let Some(entry) = layer.next_entry()? {
            self.climb_to(entry.path.components().count() - 1)?;
            let name = entry.path.file_name().context("an entry without a name")?.as_bytes();
            let name = CString::new(name)?;
            let shown = || format!("look up {} below", shown_path(&entry.path));
            self.visit(&entry, &name).with_context(shown)?;
        }
        Ok(())
    }

    /// Leaves directories until the walk is `depth` deep.
    fn climb_to(&mut self, depth: usize) -> nix::Result<()> {
        while self.levels.len() > depth {
            if self.levels.pop() == Some(true) {
                self.below.leave()?;
            }
        }
        Ok(())
    }

    fn visit(&mut self, entry: &Entry, name: &CString) -> nix::Result<()> {
        let followed = self.levels.last().copied().unwrap_or(true);
        let seen = if followed { self.below.seen(name)? } else { None };
        let here = self.here();
        if entry.whiteout {
            here.deleted += 1;
        } else {
            here.count(entry);
        }
        match (&entry.kind, seen) {
            (Kind::Directory, Some((_, stat))) if is_directory(&stat) => {
                if entry.opaque {
                    self.here().deleted += 1;
                    self.hide_all_in(&entry.path, name)?;
                }
                let entered = !entry.opaque && self.below.enter(name)?;
                self.levels.push(entered);
            }
            (_, seen) => {
                if let Some((layer, stat)) = seen {
                    self.here().replaced += u64::from(!entry.whiteout);
                    self.hide(&entry.path, name, layer, &stat)?;
                }
                if matches!(entry.kind, Kind::Directory) {
                    self.levels.push(false);
                }
            }
        }
        Ok(())
    }

    fn here(&mut self) -> &mut Holdings {
        let last = self.holdings.len() - 1;
        &mut self.holdings[last]
    }

    /// Takes note that `name` below, which is at `path`, is not seen any more.
    fn hide(&mut self, path: &Path, name: &CString, layer: usize, stat: &FileStat) -> nix::Result<()> {
        if is_directory(stat) {
            return self.hide_all_in(path, name);
        }
        if is(stat, SFlag::S_IFREG) {
            // A file with several names is hidden when all of them are.
            let bytes = stat.st_size as u64 / stat.st_nlink.max(1);
            self.holdings[layer].lose(path, stat.st_size as u64, bytes);
            self.here().hides += bytes;
        }
        Ok(())
    }

    /// The same for all that is in the directory `name` below, if there is one.
    fn hide_all_in(&mut self, path: &Path, name: &CString) -> nix::Result<()> {
        if !self.below.enter(name)? {
            return Ok(());
        }
        let mut path = path.to_owned();
        let mut levels = vec![self.below.names()?.into_iter()];
        while let Some(names) = levels.last_mut() {
            let Some(name) = names.next() else {
                levels.pop();
                path.pop();
                self.below.leave()?;
                continue;
            };
            path.push(OsStr::from_bytes(name.to_bytes()));
            match self.below.seen(&name)? {
                Some((_, stat)) if is_directory(&stat) && self.below.enter(&name)? => {
                    levels.push(self.below.names()?.into_iter());
                    continue;
                }
                Some((layer, stat)) if !is_directory(&stat) => self.hide(&path, &name, layer, &stat)?,
                _ => {}
            }
            path.pop();
        }
        Ok(())
    }
}

impl Holdings {
    fn count(&mut self, entry: &Entry) {
        match &entry.kind {
            Kind::File { size, .. } => {
                self.files += 1;
                self.note_size(&entry.path, *size);
            }
            Kind::HardLink(_) => self.files += 1,
            Kind::Directory => self.directories += 1,
            Kind::Symlink(_) => self.symlinks += 1,
            Kind::Fifo | Kind::Device { .. } => self.others += 1,
        }
    }

    /// A file of this size at `path` is hidden, and with it `bytes` of the layer.
    fn lose(&mut self, path: &Path, size: u64, bytes: u64) {
        self.hidden += bytes;
        for file in self.biggest.iter_mut().filter(|file| file.size == size) {
            file.hidden |= file.path == shown_path(path);
        }
    }

    fn note_size(&mut self, path: &Path, size: u64) {
        let at = self.biggest.partition_point(|known| known.size >= size);
        if at < BIGGEST && size > 0 {
            self.biggest.insert(at, BigFile { path: shown_path(path), size, hidden: false });
            self.biggest.truncate(BIGGEST);
        }
    }
}

fn is_directory(stat: &FileStat) -> bool {
    is(stat, SFlag::S_IFDIR)
}
