//! Keeps a directory open instead of standing outside: a descriptor is not moved by chroot either.

use std::os::fd::AsRawFd;

use look::{Error, Result};
use nix::errno::Errno;

pub fn escape() -> Result<()> {
    let failed = |call| move |errno| Error::call(call, "the way out", errno);
    let top = std::fs::File::open("/").map_err(|error| Error::io("open", "/", &error))?;
    std::fs::create_dir("door").map_err(|error| Error::io("mkdir", "door", &error))?;
    nix::unistd::chroot("door").map_err(failed("chroot"))?;
    // SAFETY: the descriptor is open for the length of the call.
    Errno::result(unsafe { libc::fchdir(top.as_raw_fd()) }).map_err(failed("fchdir"))?;
    for _ in 0..100 {
        nix::unistd::chdir("..").map_err(failed("chdir"))?;
    }
    nix::unistd::chroot(".").map_err(failed("chroot"))
}
