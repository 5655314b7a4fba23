//! Laying a hostile layer out as a tree.
//!
//! Every name is opened through [`chroot::inside::Root`], so a symlink that an earlier member made leads, at
//! worst, somewhere else in the same tree. What a member replaces is unlinked first, never written through.
//!
//! Deletions are laid out in the form that overlayfs reads: a file that is gone is a character device with the
//! number 0/0, and a directory that shows nothing from below has the attribute `overlay.opaque`.
//! Source: the kernel's Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".

mod attributes;
mod copy;
mod remove;
mod unsettled;

pub use attributes::{Attributes, LeftOut, Xattrs, is_kept, xattrs_of};
pub use copy::copy_tree;
pub use remove::remove_tree;
pub use unsettled::Unsettled;

use std::ffi::{CStr, CString, OsStr};
use std::fs::{File, Permissions};
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use chroot::inside::Root;
use look::Error;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, makedev, mkdirat, mknodat};
use nix::sys::statvfs::fstatvfs;
use nix::unistd::{UnlinkatFlags, linkat, symlinkat, unlinkat};

use crate::layer::{Extent, Kind, Layer, Member};
use crate::overlay;
use crate::shown;

/// The most memory that what is remembered of the directories may take.
const DIRECTORIES_MAX: usize = 128 << 20;
/// Directories that no member describes.
const IMPLIED: Mode = Mode::from_bits_truncate(0o755);

/// A tree that is being filled.
pub struct Tree {
    root: Root,
    /// Whether it is an ordinary user's, and overlayfs finds its notes in attributes of `user.`.
    rootless: bool,
    /// Modes and times are given last: a read-only directory could not be filled, and filling changes the time.
    directories: Vec<(PathBuf, Attributes)>,
    /// How many bytes `directories` takes.
    remembered: usize,
    left_out: LeftOut,
    /// How many bytes of files were laid.
    size: u64,
    members: u64,
    buffer: Vec<u8>,
}

/// A layer, laid out.
#[derive(Debug)]
pub struct Laid {
    /// What had to be left out.
    pub left_out: LeftOut,
    /// What waits for the layers below.
    pub unsettled: Unsettled,
    /// How many bytes its files have.
    pub size: u64,
    /// How many members were laid.
    pub members: u64,
}

impl Tree {
    /// A tree in the empty directory `dir`. `rootless` says for whose overlayfs: an ordinary user's, or root's.
    pub fn new(dir: &Path, rootless: bool) -> Result<Tree> {
        let root = Root::new(dir)?;
        std::fs::set_permissions(dir, Permissions::from_mode(0o755)).context("chmod the root of the tree")?;
        let (left_out, buffer) = (LeftOut::default(), vec![0; 1 << 18]);
        Ok(Tree { root, rootless, directories: Vec::new(), remembered: 0, left_out, size: 0, members: 0, buffer })
    }

    /// Makes what `member` of `layer` describes. What this layer had put there before is replaced.
    pub fn put(&mut self, member: &Member, layer: &mut Layer<'_>) -> Result<()> {
        self.members += 1;
        self.add(&member.path, member, layer).with_context(|| format!("unpack {}", path_shown(&member.path)))
    }

    /// Hides what the layers below have at `path`, and leaves what this one put there.
    pub fn whiteout(&mut self, path: &Path) -> Result<()> {
        let context = || format!("delete {}", path_shown(path));
        let (parent, name) = self.parent(path).with_context(context)?;
        match mknodat(&parent, name.as_c_str(), SFlag::S_IFCHR, Mode::empty(), 0) {
            Err(Errno::EEXIST) => Ok(()),
            done => done.map_err(failed("mknod", path)).with_context(context),
        }
    }

    /// Hides all that the layers below have in the directory `path`.
    pub fn opaque(&mut self, path: &Path) -> Result<()> {
        let shown = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let made = self.root.create_dir_all(shown, IMPLIED).map_err(failed("openat2", path))?;
        let dir = openat(&made, ".", OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty());
        let dir = dir.map_err(failed("open", path))?;
        attributes::set_xattr(dir.as_fd(), overlay::opaque_attribute(self.rootless), b"y").map_err(failed("fsetxattr", path))
    }

    fn parent(&self, path: &Path) -> Result<(std::os::fd::OwnedFd, CString)> {
        let name = path.file_name().context("the root of a layer cannot be deleted")?;
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent = self.root.create_dir_all(parent, IMPLIED).map_err(failed("openat2", path))?;
        Ok((parent, c_string(name)?))
    }

    fn add(&mut self, path: &Path, member: &Member, archive: &mut Layer<'_>) -> Result<()> {
        let Some(name) = path.file_name() else {
            ensure!(matches!(member.kind, Kind::Directory), "the root of a tree must be a directory");
            let top = self.root.open(".", OFlag::O_DIRECTORY, Mode::empty()).map_err(failed("openat2", path))?;
            return self.remember(path, top.as_fd(), &member.attributes);
        };
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent = self.root.create_dir_all(parent, IMPLIED).map_err(failed("openat2", path))?;
        let (dir, name) = (parent.as_fd(), c_string(name)?);
        match &member.kind {
            Kind::Directory => self.directory(path, dir, &name, &member.attributes),
            Kind::File { size, extents } => {
                let file = self.file(path, dir, &name, *size)?;
                self.fill(&file, *size, extents, archive)?;
                self.size += size;
                member.attributes.apply(file.as_fd(), &mut self.left_out).map_err(failed("change", path))
            }
            Kind::HardLink(target) => self.hard_link(target, path, dir, &name),
            Kind::Symlink(target) => {
                let target = c_string(OsStr::from_bytes(target))?;
                replacing(dir, &name, || symlinkat(target.as_c_str(), dir, name.as_c_str()))
                    .map_err(failed("symlink", path))?;
                member.attributes.apply_to_symlink(dir, &name, &mut self.left_out).map_err(failed("change", path))
            }
            Kind::Fifo => self.node(path, dir, &name, SFlag::S_IFIFO, 0, &member.attributes),
            Kind::Device { kind, major, minor } => {
                let number = makedev(u64::from(*major), u64::from(*minor));
                self.node(path, dir, &name, *kind, number, &member.attributes)
            }
        }
    }

    /// Makes a directory, or keeps one that is there already.
    fn directory(&mut self, path: &Path, dir: BorrowedFd<'_>, name: &CStr, attributes: &Attributes) -> Result<()> {
        let open = || {
            let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            openat(dir, name, flags, Mode::empty())
        };
        let made = match mkdirat(dir, name, Mode::S_IRWXU) {
            Err(Errno::EEXIST) => match open() {
                Err(Errno::ENOTDIR | Errno::ELOOP) => {
                    replacing(dir, name, || mkdirat(dir, name, Mode::S_IRWXU)).and_then(|()| open())
                }
                there => there,
            },
            done => done.and_then(|()| open()),
        };
        self.remember(path, made.map_err(failed("mkdir", path))?.as_fd(), attributes)
    }

    /// Gives a directory its owner now, and the rest in the end.
    fn remember(&mut self, path: &Path, dir: BorrowedFd<'_>, attributes: &Attributes) -> Result<()> {
        attributes.apply_owner(dir, &mut self.left_out).map_err(failed("change", path))?;
        self.remembered += path.as_os_str().len() + size_of::<(PathBuf, Attributes)>();
        ensure!(self.remembered <= DIRECTORIES_MAX, "the archive has too many directories to keep in mind");
        self.directories.push((path.to_owned(), Attributes { xattrs: Vec::new(), ..attributes.clone() }));
        Ok(())
    }

    /// A new and empty file, for which there is room.
    fn file(&self, path: &Path, dir: BorrowedFd<'_>, name: &CStr, size: u64) -> Result<File> {
        let room = fstatvfs(dir).map_err(failed("fstatvfs", path))?;
        let free = room.blocks_available() as u64 * room.fragment_size();
        ensure!(size <= free, "it is said to have {size} bytes, and there is room for {free}");
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = replacing(dir, name, || openat(dir, name, flags, Mode::S_IRUSR | Mode::S_IWUSR));
        Ok(file.map_err(failed("open", path))?.into())
    }

    /// Writes the parts of a file that the archive holds. What is between them stays a hole, which reads as zeros.
    fn fill(&mut self, mut file: &File, size: u64, extents: &[Extent], archive: &mut Layer<'_>) -> Result<()> {
        let mut written = 0;
        for extent in extents {
            if extent.offset != written {
                file.seek(SeekFrom::Start(extent.offset)).context("seek")?;
            }
            let mut left = extent.length;
            while left > 0 {
                let most = left.min(self.buffer.len() as u64) as usize;
                let count = archive.read_content(&mut self.buffer[..most])?;
                file.write_all(&self.buffer[..count]).context("write")?;
                left -= count as u64;
            }
            written = extent.offset + extent.length;
        }
        if written < size {
            file.set_len(size).context("ftruncate")?;
        }
        Ok(())
    }

    /// Another name for a file that is in the tree. A symlink is not followed, but linked itself.
    fn hard_link(&self, target: &Path, path: &Path, dir: BorrowedFd<'_>, name: &CStr) -> Result<()> {
        let (from, old) = self.root.parent(target).map_err(failed("openat2", target))?;
        let link = || linkat(&from, old.as_os_str(), dir, name, AtFlags::empty());
        match replacing(dir, name, link) {
            Err(Errno::ENOENT) => bail!("a hard link to {}, which is not there", path_shown(target)),
            done => done.map_err(failed("link", path)),
        }
    }

    /// A device or fifo. A device is left out where making one is not allowed.
    fn node(
        &mut self,
        path: &Path,
        dir: BorrowedFd<'_>,
        name: &CStr,
        kind: SFlag,
        number: u64,
        attributes: &Attributes,
    ) -> Result<()> {
        match replacing(dir, name, || mknodat(dir, name, kind, Mode::S_IRUSR | Mode::S_IWUSR, number)) {
            Err(Errno::EPERM) => {
                self.left_out.devices += 1;
                return Ok(());
            }
            done => done.map_err(failed("mknod", path))?,
        }
        attributes.apply_to_node(dir, name, &mut self.left_out).map_err(failed("change", path))
    }

    /// Gives the directories their modes and times, the deepest first: one that may not be entered may hold others.
    pub fn finish(mut self) -> Result<Laid> {
        self.directories.sort_by_key(|(path, _)| std::cmp::Reverse(path.components().count()));
        for (path, attributes) in &self.directories {
            let shown = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
            match self.root.open(shown, flags, Mode::empty()) {
                // A later member put something else there.
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {}
                Err(errno) => return Err(failed("openat2", shown)(errno)),
                Ok(dir) => attributes.apply_mode(dir.as_fd()).map_err(failed("change", shown))?,
            }
        }
        Ok(Laid { left_out: self.left_out, unsettled: Unsettled, size: self.size, members: self.members })
    }
}

/// Makes `name` with `make`; if something has that name, removes it and tries again. A directory must be empty.
fn replacing<T>(dir: BorrowedFd<'_>, name: &CStr, make: impl Fn() -> nix::Result<T>) -> nix::Result<T> {
    match make() {
        Err(Errno::EEXIST) => {
            match unlinkat(dir, name, UnlinkatFlags::NoRemoveDir) {
                Err(Errno::EISDIR) => unlinkat(dir, name, UnlinkatFlags::RemoveDir)?,
                done => done?,
            }
            make()
        }
        done => done,
    }
}

fn c_string(name: &OsStr) -> Result<CString> {
    CString::new(name.to_owned().into_vec()).context("the archive has a name with a zero byte in it")
}

fn failed<'a>(call: &'static str, path: &'a Path) -> impl FnOnce(Errno) -> anyhow::Error + 'a {
    move |errno| Error::call(call, path_shown(path), errno).into()
}

fn path_shown(path: &Path) -> String {
    shown(path.as_os_str().as_bytes())
}

/// Copies the layers `trees`, bottom first, to the new directory `to` as one tree.
pub fn flatten(trees: &[PathBuf], to: &Path) -> look::Result<Vec<String>> {
    trees.iter().try_fold(Vec::new(), |_, tree| copy_tree(tree, to))
}
