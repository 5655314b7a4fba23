//! The stand-in host: a small machine for an answer to change.
//!
//! ```text
//! /                 a tmpfs: the host's root
//! ├── secret        a file that is the host's alone
//! ├── dev/null      the machine's
//! ├── home/         where the answer's process starts
//! ├── proc/         for this PID namespace
//! ├── srv/disk/     where an answer needs it: a directory on a disk of the machine
//! ├── sys/fs/cgroup/    where an answer needs it: a cgroup to make others in
//! └── srv/root/     the directory that is to become the new root
//!     ├── inside    a file that marks it
//!     ├── work/here/    where a process that is to escape starts
//!     └── data/     a mount of its own, with a file `marker`
//! ```
//!
//! All mounts are shared, as systemd leaves them on a real machine: what an answer mounts without making its
//! mounts private first turns up here, in the table of the first process, where the grader sees it.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use look::kernel::{self, MsFlags};
use look::{Error, Result};

/// The directory that is to become the new root.
pub const NEW_ROOT: &str = "/srv/root";
/// Where the answer's process starts.
pub const START: &str = "/home";
/// Where a process that is to escape starts, seen from the new root.
pub const START_INSIDE: &str = "/work/here";
/// A mount inside the new root.
pub const SUBMOUNT: &str = "/data";
/// A file in that mount.
pub const MARKER: &str = "/data/marker";

/// The name of the environment variable by which the processes of one check are known.
pub const TOKEN: &str = "TINBOX_CHECK";

/// The name of the environment variable with the cgroup that an answer may make others in, where it needs one.
pub const SHARE: &str = "TINBOX_CHECK_CGROUP";
/// Where the stand-in has that.
pub const CGROUPS: &str = "/sys/fs/cgroup";

/// The name of the environment variable with a directory of the machine's for layers, where an answer needs it.
pub const DISK: &str = "TINBOX_CHECK_DISK";
/// Where the stand-in has that.
pub const DISK_INSIDE: &str = "/srv/disk";

/// What the root file system is called in mount tables, for the check with this token.
pub fn root_source(token: &str) -> String {
    format!("host-{token}")
}

/// Builds the host in this process's namespaces and enters it. The real machine is out of reach afterwards.
pub(crate) fn build() -> Result<()> {
    let place = Path::new("/tmp");
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    kernel::mount("", "/", "", private, "", "the real machine must not notice")?;
    // The stand-in's root is about to cover the place where this usually is.
    let open = |dir| File::open(&dir).map_err(|e| Error::io("open", shown(Path::new(&dir)), &e));
    let disk = std::env::var_os(DISK).map(open).transpose()?;
    let token = std::env::var(TOKEN).unwrap_or_default();
    kernel::mount(root_source(&token), place, "tmpfs", MsFlags::empty(), "mode=755", "the stand-in's root")?;
    furnish(place, disk.as_ref())?;
    chroot::enter_root(place)?;
    kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_SHARED, "", "as systemd leaves mounts")?;
    kernel::sethostname("host", "not the machine's")?;
    kernel::chdir(START, "where people start")
}

/// Mounts the `/proc` of this process's PID namespace, in its own mount namespace, over the host's.
pub(crate) fn own_proc() -> Result<()> {
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    kernel::mount("", "/", "", private, "", "the host must not notice")?;
    kernel::mount("proc", "/proc", "proc", MsFlags::empty(), "", "the processes of this namespace")
}

/// Makes this process, which was born in a new user namespace, root there.
pub(crate) fn own_ids() -> Result<()> {
    kernel::write_map("self", "setgroups", "deny", "the kernel asks for this before a user may map a group")?;
    kernel::write_map("self", "uid_map", "0 0 1", "root of the stand-in is root in there")?;
    kernel::write_map("self", "gid_map", "0 0 1", "and its group")
}

fn furnish(place: &Path, disk: Option<&File>) -> Result<()> {
    let at = |path: &str| place.join(path.trim_start_matches('/'));
    let inside = |path: &str| at(NEW_ROOT).join(path.trim_start_matches('/'));
    for directory in [at("/proc"), at("/dev"), at(START), inside(START_INSIDE), inside(SUBMOUNT)] {
        std::fs::create_dir_all(&directory).map_err(|e| Error::io("mkdir", shown(&directory), &e))?;
    }
    kernel::mount("proc", at("/proc"), "proc", MsFlags::empty(), "", "the processes of the stand-in")?;
    kernel::mount("data", inside(SUBMOUNT), "tmpfs", MsFlags::empty(), "mode=755", "a mount below the new root")?;
    if let Some(share) = std::env::var_os(SHARE) {
        let place = at(CGROUPS);
        std::fs::create_dir_all(&place).map_err(|e| Error::io("mkdir", shown(&place), &e))?;
        kernel::mount(share, place, "", MsFlags::MS_BIND | MsFlags::MS_REC, "", "a cgroup to make others in")?;
    }
    if let Some(disk) = disk {
        let (source, place) = (format!("/proc/self/fd/{}", disk.as_raw_fd()), at(DISK_INSIDE));
        std::fs::create_dir_all(&place).map_err(|e| Error::io("mkdir", shown(&place), &e))?;
        kernel::mount(source, place, "", MsFlags::MS_BIND, "", "a directory for layers, if memory does not do")?;
    }
    for file in [at("/secret"), at("/dev/null"), inside("/inside"), inside(MARKER)] {
        std::fs::write(&file, "").map_err(|e| Error::io("write", shown(&file), &e))?;
    }
    kernel::mount("/dev/null", at("/dev/null"), "", MsFlags::MS_BIND, "", "what is nothing on the machine")
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
