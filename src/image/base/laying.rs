//! Laying files into a root.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chroot::inside::Root;
use look::Error;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{UnlinkatFlags, symlinkat, unlinkat};

use super::libraries::{Libraries, Piece};

/// Directories on the way to something.
const DIRECTORY: u32 = 0o755;

/// A root that is being filled. Paths in it are absolute, as they will be seen from inside, and the modes are
/// those given, whatever the umask.
pub(super) struct Laying {
    root: Root,
    libraries: Libraries,
    /// What was laid by this value, and so need not be again.
    laid: HashSet<PathBuf>,
}

impl Laying {
    pub(super) fn new(root: &Path) -> Result<Laying> {
        let root = Root::new(root)?;
        Ok(Laying { root, libraries: Libraries::new(), laid: HashSet::new() })
    }

    /// Makes the directory `at` if it is not there, and gives it `mode`.
    pub(super) fn directory(&self, at: &Path, mode: u32) -> Result<()> {
        self.root.create_dir_all(at, Mode::from_bits_truncate(DIRECTORY)).map_err(failed("mkdir", at))?;
        let dir = self.root.open(at, OFlag::O_DIRECTORY, Mode::empty()).map_err(failed("openat2", at))?;
        fchmod(dir, Mode::from_bits_truncate(mode)).map_err(failed("chmod", at))?;
        Ok(())
    }

    /// Makes `at` a symlink to `target`, in place of whatever file is there.
    pub(super) fn symlink(&self, target: &str, at: &Path) -> Result<()> {
        self.put(at, |dir, name| symlinkat(target, dir, name).map_err(failed("symlink", at)))
    }

    /// Makes `at` a file with these contents, in place of whatever file is there.
    pub(super) fn file(&self, contents: &[u8], at: &Path, mode: u32) -> Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        self.put(at, |dir, name| {
            let file = openat(dir, name, flags, Mode::S_IRUSR | Mode::S_IWUSR).map_err(failed("open", at))?;
            let mut file = File::from(file);
            file.write_all(contents).map_err(|e| Error::io("write", at.display().to_string(), &e))?;
            fchmod(&file, Mode::from_bits_truncate(mode)).map_err(failed("chmod", at))
        })
    }

    /// What the machine's program `host` needs to run at `at`: the loader and the libraries. An error says why it
    /// cannot be copied, such as a library that is missing or a program that is a script.
    pub(super) fn needs(&mut self, host: &Path, at: &Path) -> Result<Vec<Piece>> {
        self.libraries.of(host, at)
    }

    /// A library that programs load without their headers saying so, if the machine has it.
    pub(super) fn by_name(&mut self, name: &str, program: &Path) -> Option<Piece> {
        self.libraries.by_name(name, program)
    }

    /// Copies the machine's program `host` to `at`, with what it needs.
    pub(super) fn program(&mut self, host: &Path, at: &Path, needs: &[Piece]) -> Result<()> {
        for piece in needs {
            self.library(piece)?;
        }
        // Not the program's own mode: a setuid program has no business in a root that others fill.
        self.file(&read(host)?, at, 0o755)
    }

    /// Copies a library, unless the root has one there.
    pub(super) fn library(&mut self, piece: &Piece) -> Result<()> {
        if !self.laid.insert(piece.to.clone()) || self.has(&piece.to)? {
            return Ok(());
        }
        self.file(&read(&piece.from)?, &piece.to, 0o755)
    }

    fn has(&self, at: &Path) -> Result<bool> {
        match self.root.open(at, OFlag::O_PATH, Mode::empty()) {
            Ok(_) => Ok(true),
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(failed("openat2", at)(errno).into()),
        }
    }

    /// Has `make` prepare something under a temporary name, and then gives it the name `at`. So nothing is ever
    /// there in part, and a program that is running keeps the file that it runs from.
    fn put(&self, at: &Path, make: impl FnOnce(BorrowedFd<'_>, &OsStr) -> look::Result<()>) -> Result<()> {
        let above = at.parent().unwrap_or(Path::new("/"));
        let dir =
            self.root.create_dir_all(above, Mode::from_bits_truncate(DIRECTORY)).map_err(failed("mkdir", above))?;
        let name = at.file_name().with_context(|| format!("{} is not the path of a file", at.display()))?;
        let mut new = OsString::from(".new-");
        new.push(name);
        // What an earlier attempt that was killed left.
        match unlinkat(&dir, new.as_os_str(), UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(errno) => return Err(failed("unlink", at)(errno).into()),
        }
        make(dir.as_fd(), &new)?;
        renameat(&dir, new.as_os_str(), &dir, name).map_err(failed("rename", at))?;
        Ok(())
    }
}

fn read(host: &Path) -> Result<Vec<u8>> {
    std::fs::read(host).with_context(|| format!("read {}", host.display()))
}

/// An error of `call` on a path in the root.
fn failed<'a>(call: &'static str, at: &'a Path) -> impl FnOnce(Errno) -> Error + 'a {
    move |errno| Error::call(call, format!("{} in the new root", at.display()), errno)
}
