//! What a container changed in its root, without what Tinbox itself put there.
//!
//! Something can be mounted only on what is there. So a start makes the directories and files that the container's
//! mounts lie on where its image lacks them, and they end up in the upper directory. They are not the container's doing:
//! docker keeps its own in a layer between, and leaves that out.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chroot::inside::Root;
use images::tree::{is, kind_of, names};
use images::{Lower, TreeWalk};
use namespaces::identity;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};

use crate::container::Record;

/// What is mounted on in every container.
const MOUNT_POINTS: [&str; 6] = ["dev", "etc/hostname", "etc/hosts", "etc/resolv.conf", "proc", "sys"];

/// What the container of `record`, in `directory`, changed against `layers`, bottom first.
pub fn changes(record: &Record, directory: &Path, layers: &[PathBuf]) -> Result<TreeWalk> {
    let (copy, upper) = (directory.join("copy"), directory.join("upper"));
    let copied = copy.is_dir();
    let mut changes = match copied {
        true => TreeWalk::changed_from(&copy, layers)?,
        false => TreeWalk::upper(&upper, !identity::is_the_machines_root())?,
    };
    let volumes = record.config.volumes.keys().map(|path| Path::new(path.trim_start_matches('/')));
    let points: Vec<&Path> = MOUNT_POINTS.map(Path::new).into_iter().chain(volumes).collect();
    let tree = Root::new(if copied { &copy } else { &upper })?;
    changes.skip(our_own(&tree, &points, &mut Lower::open(layers)?)?);
    Ok(changes)
}

/// Which of the mount points `points` are in `tree` only to be mounted on.
fn our_own(tree: &Root, points: &[&Path], lower: &mut Lower) -> Result<Vec<PathBuf>> {
    let mut own = Vec::new();
    for path in points.iter().copied().filter(|path| path.file_name().is_some()) {
        if let Some((file, stat)) = look(tree, path)?
            && lower.find(path)?.is_none()
            && is_empty(&file, &stat)?
        {
            own.push(path.to_owned());
        }
    }
    // So is a directory that holds nothing else, if it is as it was.
    if let Some((etc, stat)) = look(tree, Path::new("etc"))? {
        let names = if is(&stat, SFlag::S_IFDIR) { names_in(&etc)? } else { Vec::new() };
        let is_ours = |name: &CString| own.iter().any(|path| *path == Path::new("etc").join(&*name.to_string_lossy()));
        let before = lower.find(Path::new("etc"))?;
        let same = before.is_none_or(|before| said(&before) == said(&stat));
        if same && !names.is_empty() && names.iter().all(is_ours) {
            own.push("etc".into());
        }
    }
    Ok(own)
}

/// Type, permissions and owner.
fn said(stat: &FileStat) -> (u32, u32, u32) {
    (stat.st_mode, stat.st_uid, stat.st_gid)
}

fn look(tree: &Root, path: &Path) -> Result<Option<(OwnedFd, FileStat)>> {
    let file = match tree.open_no_symlinks(path, OFlag::O_PATH, Mode::empty()) {
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(None),
        file => file.with_context(|| format!("openat2 {} of a container", path.display()))?,
    };
    let stat = fstat(&file)?;
    Ok(Some((file, stat)))
}

fn is_empty(file: &OwnedFd, stat: &FileStat) -> Result<bool> {
    Ok(match kind_of(stat) {
        SFlag::S_IFREG => stat.st_size == 0,
        SFlag::S_IFDIR => names_in(file)?.is_empty(),
        _ => false,
    })
}

fn names_in(dir: &OwnedFd) -> Result<Vec<CString>> {
    names(dir.as_fd()).context("read a directory of a container")
}
