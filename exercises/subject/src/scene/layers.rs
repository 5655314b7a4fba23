//! What 4.1 and 4.4 have in common: layers as archives, and a place for trees.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result};
use images::{Layer, Tree};
use look::kernel::{self, MsFlags};
use namespaces::identity::is_the_machines_root;
use tar::{Builder, EntryType, Header};

use crate::host::DISK_INSIDE;

/// Where the trees are.
pub const PLACE: &str = "/srv/layers";

/// The path of the tree itself, as a member.
pub(super) const TOP: &[u8] = b"./";

/// A member of a layer: its path, which is bytes and not always text, its mode, and what it is.
pub(super) type Member = (&'static [u8], u32, Is);

/// What a member is.
pub(super) enum Is {
    Directory,
    File(&'static str),
    Symlink(&'static str),
    HardLink(&'static str),
    /// An empty file that means something else.
    Marker,
}

/// An archive with these members.
pub(super) fn archive(members: &[Member]) -> std::io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (name, mode, is) in members {
        let path = Path::new(OsStr::from_bytes(name));
        let mut header = Header::new_gnu();
        header.set_mode(*mode);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        let (kind, content) = match is {
            Is::Directory => (EntryType::Directory, ""),
            Is::File(content) => (EntryType::Regular, *content),
            Is::Symlink(_) => (EntryType::Symlink, ""),
            Is::HardLink(_) => (EntryType::Link, ""),
            Is::Marker => (EntryType::Regular, ""),
        };
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        match is {
            Is::Symlink(target) | Is::HardLink(target) => archive.append_link(&mut header, path, target)?,
            // The tar crate takes no path without a part.
            Is::Directory if *name == TOP => {
                header.as_old_mut().name[..TOP.len()].copy_from_slice(TOP);
                header.set_cksum();
                archive.append(&header, std::io::empty())?;
            }
            _ => archive.append_data(&mut header, path, content.as_bytes())?,
        }
    }
    archive.into_inner()
}

/// Lays `archive` out in the new directory `dir`, with `apply`.
pub(super) fn lay_out(archive: &[u8], dir: &Path, apply: fn(&mut Layer<'_>, &mut Tree) -> Result<()>) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
    let mut tree = Tree::new(dir, rootless())?;
    let mut rest = archive;
    apply(&mut Layer::new(&mut rest), &mut tree)?;
    tree.finish()?;
    Ok(())
}

/// Whose overlayfs is to read the trees.
pub(super) fn rootless() -> bool {
    !is_the_machines_root()
}

/// Makes [`PLACE`], in memory if that keeps what overlayfs notes down; for an ordinary user it does since Linux 6.6.
/// Else on the disk.
pub(super) fn make_place() -> Result<()> {
    std::fs::create_dir_all(PLACE).with_context(|| format!("make {PLACE}"))?;
    let Err(in_memory) = keeps_notes() else { return Ok(()) };
    if !Path::new(DISK_INSIDE).exists() {
        return Err(in_memory);
    }
    kernel::mount(DISK_INSIDE, PLACE, "", MsFlags::MS_BIND, "", "memory does not keep overlayfs's notes")?;
    keeps_notes()
}

/// Notes a deletion and a directory that hides what is below, in a directory that is gone afterwards.
fn keeps_notes() -> Result<()> {
    let dir = Path::new(PLACE).join("try");
    let tried = lay_out(&[0; 1024], &dir, |_, tree| {
        tree.whiteout(Path::new("file"))?;
        tree.opaque(Path::new("directory"))
    });
    std::fs::remove_dir_all(&dir).with_context(|| format!("remove {}", dir.display()))?;
    tried
}
