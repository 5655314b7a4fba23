//! Calls on network links.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use crate::error::{Error, Result};
use crate::tell::told;

/// `ioctl(SIOCSIFFLAGS)`: brings the link `name` of this network namespace up (netdevice(7)).
pub fn link_up(name: &str, why: &str) -> Result<()> {
    // SAFETY: takes integers, and answers with a descriptor that nobody else owns.
    let socket = Errno::result(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })
        .map_err(|errno| Error::call("socket", "AF_INET", errno))?;
    // SAFETY: as above.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: all fields are integers, for which zero is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().take(libc::IFNAMSIZ - 1).zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    told(
        "ioctl",
        || format!("SIOCSIFFLAGS {name} up"),
        why,
        || {
            // SAFETY: the kernel reads one ifreq, which outlives the call.
            Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) }).map(drop)
        },
    )
}
