//! With mount(2) on the descriptor, by its path in /proc.

use std::os::fd::AsRawFd;

use chroot::inside::Root;
use look::kernel::{self, MsFlags};
use look::{Error, Result};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

pub fn mask(root: &Root, path: &str) -> Result<()> {
    let opened = match root.open_no_symlinks(path, OFlag::O_PATH, Mode::empty()) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(()),
        opened => opened.map_err(|errno| Error::call("openat2", path, errno))?,
    };
    let place = format!("/proc/self/fd/{}", opened.as_raw_fd());
    if std::path::Path::new(&place).is_dir() {
        return kernel::mount("tmpfs", &place, "tmpfs", MsFlags::MS_RDONLY, "mode=755", "nothing to see here");
    }
    kernel::mount("/dev/null", &place, "", MsFlags::MS_BIND, "", "nothing to read here")
}
