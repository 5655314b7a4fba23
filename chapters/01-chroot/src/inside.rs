//! Opening a path as though a directory were `/`.
//!
//! A path in an image was chosen by whoever made the image. The file `/etc/passwd` of an image may be a symlink
//! to `/etc/shadow`, and `/dev` one to `../../../dev`. A runtime that glues `<root>` and `/etc/passwd` together
//! and opens the result has the kernel follow that link from the *machine's* root, outside. Checking first and
//! opening then does not help: between the two, a running container can put the link there.
//!
//! So the kernel must do both in one step. openat2(2), since Linux 5.6, takes a directory and the flag
//! `RESOLVE_IN_ROOT`: for this one look-up the directory is `/`. Absolute symlinks start there, and `..` stops
//! there, as after a chroot, but without changing the process.
//!
//! [`Root`] is such a directory. Whatever part of Tinbox has to do with a path that came from an image, an
//! archive or a container goes through it. What it hands back are descriptors, never paths: a path would be
//! looked up again, and by then mean something else.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use look::{Error, Result, kernel};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat, mkdirat};

/// How often a look-up is repeated that a rename somewhere on the machine disturbed.
const RETRIES: usize = 128;

/// A directory that is `/` for the paths opened through it.
#[derive(Debug)]
pub struct Root {
    dir: OwnedFd,
    name: PathBuf,
}

impl Root {
    /// The directory at `dir`, which is a path of the machine and may be reached through symlinks.
    pub fn new(dir: &Path) -> Result<Root> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let fd = open(dir, flags, Mode::empty()).map_err(|e| Error::call("open", dir.display().to_string(), e))?;
        Ok(Root { dir: fd, name: dir.to_owned() })
    }

    /// Opens `path`, following symlinks as a process would whose root this is. Relative paths start at the root
    /// too. `mode` is for files that `O_CREAT` makes, and less the umask; otherwise leave it empty.
    ///
    /// Beware of opening a path for reading or writing before you know what it is: a fifo blocks, and opening
    /// some devices already does something. Open it with `O_PATH` and look, or use [`Root::read_file`].
    pub fn open(&self, path: impl AsRef<Path>, flags: OFlag, mode: Mode) -> nix::Result<OwnedFd> {
        self.look_up(path.as_ref(), flags, mode, ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS)
    }

    /// Opens `path`, which must not go through or end in any symlink: one gives `ELOOP`. For places where a link
    /// has no business, such as what is about to be mounted on.
    pub fn open_no_symlinks(&self, path: impl AsRef<Path>, flags: OFlag, mode: Mode) -> nix::Result<OwnedFd> {
        self.look_up(path.as_ref(), flags, mode, ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_SYMLINKS)
    }

    fn look_up(&self, path: &Path, flags: OFlag, mode: Mode, resolve: ResolveFlag) -> nix::Result<OwnedFd> {
        let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC).mode(mode).resolve(resolve);
        for _ in 0..RETRIES {
            // EAGAIN: something was renamed or mounted meanwhile, and the kernel cannot tell whether a `..` left
            // the root because of it.
            match openat2(&self.dir, path, how) {
                Err(Errno::EAGAIN | Errno::EINTR) => continue,
                done => return done,
            }
        }
        Err(Errno::EAGAIN)
    }

    /// Opens the directory that holds the last component of `path`, and says what that component is called. It
    /// need not exist, and is not followed: this is for making, replacing and removing things by name.
    ///
    /// `EINVAL` if `path` has no last component that is a name, such as `/` or `a/..`.
    pub fn parent(&self, path: impl AsRef<Path>) -> nix::Result<(OwnedFd, OsString)> {
        let (parent, name) = split(path.as_ref())?;
        Ok((self.open(parent, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty())?, name))
    }

    /// Opens the directory at `path`, and makes it and those above it where they are missing, with exactly `mode`
    /// whatever the umask.
    pub fn create_dir_all(&self, path: impl AsRef<Path>, mode: Mode) -> nix::Result<OwnedFd> {
        self.create_dirs(path.as_ref(), mode, &|dir, name| mkdirat(dir, name, mode))
    }

    /// [`Root::create_dir_all`] for a directory that a container gets, and is told about.
    pub fn create_dir_all_told(&self, path: impl AsRef<Path>, mode: Mode, why: &str) -> nix::Result<OwnedFd> {
        self.create_dirs(path.as_ref(), mode, &|dir, name| {
            let made = kernel::mkdir(dir, &name.to_string_lossy(), mode.bits(), why);
            made.map_err(|error| error.errno().unwrap_or(Errno::EIO))
        })
    }

    fn create_dirs(&self, mut path: &Path, mode: Mode, make: &MakeDir<'_>) -> nix::Result<OwnedFd> {
        let mut missing = Vec::new();
        let mut dir = loop {
            match self.open(path, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty()) {
                Err(Errno::ENOENT) => {
                    let (parent, name) = split(path)?;
                    missing.push(name);
                    path = parent;
                }
                found => break found?,
            }
        };
        // From here on everything is new, and nothing is followed.
        while let Some(name) = missing.pop() {
            dir = create_dir(&dir, &name, mode, make)?;
        }
        Ok(dir)
    }

    /// Reads the regular file at `path`; `None` if there is nothing there.
    ///
    /// Anything but a regular file is an error, and so is one of more than `cap` bytes: neither a fifo that
    /// nobody writes to, nor a device, nor a file that never ends can hold up or fill up the reader.
    pub fn read_file(&self, path: impl AsRef<Path>, cap: u64) -> Result<Option<Vec<u8>>> {
        let path = path.as_ref();
        let failed = |call: &'static str, errno| Error::call(call, self.shown(path), errno);
        let wrong = |problem: String| Error::Content { object: self.shown(path), problem };

        // O_PATH looks without touching: no driver's open is called.
        match self.open(path, OFlag::O_PATH, Mode::empty()) {
            Ok(seen) => must_be_file(seen.as_fd()).map_err(wrong)?,
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(None),
            Err(errno) => return Err(failed("openat2", errno)),
        }
        // It may have been replaced since, so what was really opened is checked again. O_NONBLOCK is for that case.
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let file = self.open(path, flags, Mode::empty()).map_err(|errno| failed("openat2", errno))?;
        must_be_file(file.as_fd()).map_err(wrong)?;

        let mut bytes = Vec::new();
        let read = File::from(file).take(cap.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|e| Error::io("read", self.shown(path), &e))?;
        if bytes.len() as u64 > cap {
            return Err(wrong(format!("it is longer than the {cap} bytes that such a file may have")));
        }
        Ok(Some(bytes))
    }

    /// How to speak of `path` in an error: which path, in which root.
    fn shown(&self, path: &Path) -> String {
        format!("{} in {}", path.display(), self.name.display())
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// `a/b/c` into `a/b` and `c`; the parent of `c` alone is `.`.
fn split(path: &Path) -> nix::Result<(&Path, OsString)> {
    let name = path.file_name().ok_or(Errno::EINVAL)?.to_owned();
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((parent, name))
}

/// Makes a directory in another.
type MakeDir<'a> = dyn Fn(BorrowedFd<'_>, &OsStr) -> nix::Result<()> + 'a;

/// Opens the directory `name` in `parent`, and makes it if it is missing.
fn create_dir(parent: &OwnedFd, name: &OsStr, mode: Mode, make: &MakeDir<'_>) -> nix::Result<OwnedFd> {
    let made = make(parent.as_fd(), name);
    let dir = match made {
        Ok(()) | Err(Errno::EEXIST) => {
            let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            openat(parent, name, flags, Mode::empty())?
        }
        Err(errno) => return Err(errno),
    };
    if made.is_ok() {
        // mkdirat takes the umask off.
        fchmod(&dir, mode)?;
    }
    Ok(dir)
}

/// Passes a regular file; of anything else says what it is.
fn must_be_file(fd: BorrowedFd<'_>) -> std::result::Result<(), String> {
    let stat = fstat(fd).map_err(|errno| format!("cannot look at it: {}", look::describe(errno)))?;
    let kind = match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFREG => return Ok(()),
        SFlag::S_IFDIR => "a directory",
        SFlag::S_IFIFO => "a fifo",
        SFlag::S_IFSOCK => "a socket",
        SFlag::S_IFCHR | SFlag::S_IFBLK => "a device",
        _ => "something else",
    };
    Err(format!("it should be a regular file, but is {kind}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// `<temp>/root` is the root, and `<temp>/secret` is what must not be reached.
    fn playground() -> (tempfile::TempDir, Root) {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir_all(temp.path().join("root/etc")).unwrap();
        fs::write(temp.path().join("secret"), "outside").unwrap();
        fs::write(temp.path().join("root/etc/motd"), "inside").unwrap();
        let root = Root::new(&temp.path().join("root")).unwrap();
        (temp, root)
    }

    #[test]
    fn no_path_and_no_symlink_leads_out() {
        let (temp, root) = playground();
        let outside = temp.path().join("secret");
        symlink(&outside, temp.path().join("root/absolute")).unwrap();
        symlink("../../../../../../secret", temp.path().join("root/etc/relative")).unwrap();
        symlink("..", temp.path().join("root/up")).unwrap();
        for path in ["../secret", "/../secret", "absolute", "etc/relative", "up/secret", "up/up/../secret"] {
            assert_eq!(root.read_file(path, 100).unwrap(), None, "{path}");
        }
        assert_eq!(root.read_file(&outside, 100).unwrap(), None);
    }

    #[test]
    fn symlinks_inside_mean_what_they_mean_inside() {
        let (temp, root) = playground();
        symlink("/etc/motd", temp.path().join("root/link")).unwrap();
        assert_eq!(root.read_file("/link", 100).unwrap().as_deref(), Some(&b"inside"[..]));
        assert_eq!(root.open_no_symlinks("link", OFlag::O_RDONLY, Mode::empty()).unwrap_err(), Errno::ELOOP);
        assert!(root.open_no_symlinks("/etc/motd", OFlag::O_RDONLY, Mode::empty()).is_ok());
    }

    #[test]
    fn magic_links_of_proc_are_not_followed() {
        let root = Root::new(Path::new("/")).unwrap();
        assert_eq!(root.open("/proc/self/exe", OFlag::O_PATH, Mode::empty()).unwrap_err(), Errno::ELOOP);
    }

    #[test]
    fn only_regular_files_of_a_sane_length_are_read() {
        let (temp, root) = playground();
        nix::unistd::mkfifo(&temp.path().join("root/fifo"), Mode::S_IRWXU).unwrap();
        let problem = |path: &str, cap| root.read_file(path, cap).unwrap_err().to_string();
        let _socket = std::os::unix::net::UnixListener::bind(temp.path().join("root/socket")).unwrap();
        assert!(problem("fifo", 100).ends_with("but is a fifo"));
        assert!(problem("socket", 100).ends_with("but is a socket"));
        assert!(problem("etc", 100).ends_with("but is a directory"));
        assert!(problem("etc/motd", 5).contains("longer than the 5 bytes"));
        assert_eq!(root.read_file("etc/motd", 6).unwrap().unwrap(), b"inside");
        let machine = Root::new(Path::new("/")).unwrap();
        assert!(machine.read_file("dev/zero", 100).unwrap_err().to_string().ends_with("but is a device"));
    }

    #[test]
    fn a_missing_file_is_not_an_error() {
        let (_temp, root) = playground();
        assert_eq!(root.read_file("etc/nothing", 100).unwrap(), None);
        assert_eq!(root.read_file("etc/motd/below", 100).unwrap(), None);
    }

    #[test]
    fn the_parent_is_found_through_links_and_the_name_is_not_followed() {
        let (temp, root) = playground();
        symlink("/etc", temp.path().join("root/config")).unwrap();
        let (dir, name) = root.parent("config/new").unwrap();
        assert_eq!(name, "new");
        assert_eq!(
            fstat(&dir).unwrap().st_ino,
            fstat(File::open(temp.path().join("root/etc")).unwrap()).unwrap().st_ino
        );
        assert_eq!(root.parent("only").unwrap().1, "only");
        for nameless in ["/", "", "..", "etc/.."] {
            assert_eq!(root.parent(nameless).unwrap_err(), Errno::EINVAL, "{nameless:?}");
        }
    }

    #[test]
    fn directories_are_made_inside_with_the_mode_asked_for() {
        let (temp, root) = playground();
        symlink("/var/lib", temp.path().join("root/etc/state")).unwrap();
        fs::create_dir_all(temp.path().join("root/var/lib")).unwrap();
        root.create_dir_all("/etc/state/a/b", Mode::from_bits_truncate(0o1777)).unwrap();
        root.create_dir_all("../../up", Mode::S_IRWXU).unwrap();
        let made = fs::metadata(temp.path().join("root/var/lib/a/b")).unwrap();
        assert_eq!(made.permissions().mode() & 0o7777, 0o1777);
        assert!(temp.path().join("root/up").is_dir() && !temp.path().join("up").exists());
        assert_eq!(root.create_dir_all("etc/motd/a", Mode::S_IRWXU).unwrap_err(), Errno::ENOTDIR);
        symlink(temp.path().join("made"), temp.path().join("root/dangling")).unwrap();
        assert_eq!(root.create_dir_all("dangling/a", Mode::S_IRWXU).unwrap_err(), Errno::ENOTDIR);
        assert!(!temp.path().join("made").exists());
    }
}
