//! Changes on their way out and in again.

mod against;
mod layers;
mod refusals;
mod walks;

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{Mode, SFlag, UtimensatFlags, mknod, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::geteuid;

use super::TreeWalk;
use super::notes::Notes;
use crate::tree::xattrs_of;
use crate::{Layer, LayerWriter, Tree, apply_layer, make_layer};

pub(super) fn rootless() -> bool {
    !geteuid().is_root()
}

pub(super) fn note(dir: &Path, name: &str, value: &str) {
    let prefix = if rootless() { "user" } else { "trusted" };
    set_xattr(dir, &format!("{prefix}.overlay.{name}"), value);
}

pub(super) fn set_xattr(path: &Path, name: &str, value: &str) {
    let (path, name) = (CString::new(path.as_os_str().as_bytes()).unwrap(), CString::new(name).unwrap());
    // SAFETY: path and name are NUL-terminated, and the value is as long as is said.
    let done = unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}

pub(super) fn whiteout(path: &Path) {
    mknod(path, SFlag::S_IFCHR, Mode::empty(), 0).unwrap();
}

pub(super) fn set_time(path: &Path, seconds: i64, nanos: i64) {
    let time = TimeSpec::new(seconds, nanos);
    utimensat(AT_FDCWD, path, &time, &time, UtimensatFlags::NoFollowSymlink).unwrap();
}

pub(super) fn layer_of(dir: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = LayerWriter::new(&mut bytes);
    make_layer(&mut TreeWalk::upper(dir, rootless())?, &mut writer)?;
    writer.finish()?;
    Ok(bytes)
}

/// Everything that can be said about the files of a tree, by path.
pub(super) fn listing(tree: &Path) -> BTreeMap<PathBuf, String> {
    let (mut listing, mut inodes, mut todo) = (BTreeMap::new(), Vec::new(), vec![tree.to_owned()]);
    while let Some(dir) = todo.pop() {
        let mut names: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        for path in names {
            let stat = fs::symlink_metadata(&path).unwrap();
            let inode = inodes.iter().position(|inode| *inode == stat.ino()).unwrap_or(inodes.len());
            inodes.push(stat.ino());
            if stat.file_type().is_char_device() {
                listing.insert(path.strip_prefix(tree).unwrap().to_owned(), format!("device {}", stat.rdev()));
                continue;
            }
            let mut said = format!(
                "{:o} {:?} {:?} inode {inode}",
                stat.mode(),
                (stat.uid(), stat.gid()),
                (stat.mtime(), stat.mtime_nsec()),
            );
            if stat.is_dir() {
                let dir = File::open(&path).unwrap();
                let opaque = Notes::of(rootless()).opaque(dir.as_fd()).unwrap();
                said += &format!(" opaque {opaque} {:?}", xattrs_of(dir.as_fd()).unwrap());
                todo.push(path.clone());
            } else if stat.is_file() {
                let mut xattrs = xattrs_of(File::open(&path).unwrap().as_fd()).unwrap();
                xattrs.sort();
                said += &format!(" {xattrs:?} {}", crate::Digest::of(&fs::read(&path).unwrap()));
            } else if stat.is_symlink() {
                said += &format!(" {:?}", fs::read_link(&path).unwrap());
            }
            listing.insert(path.strip_prefix(tree).unwrap().to_owned(), said);
        }
    }
    listing
}

pub(super) fn unpacked(layer: &[u8], dir: &Path) {
    fs::create_dir(dir).unwrap();
    let mut tree = Tree::new(dir, rootless()).unwrap();
    apply_layer(&mut Layer::new(&mut &*layer), &mut tree).unwrap();
    tree.finish().unwrap();
}

pub(super) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
