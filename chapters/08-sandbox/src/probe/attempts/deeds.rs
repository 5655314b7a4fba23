//! Deeds of several calls.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::pty::{grantpt, posix_openpt, unlockpt};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

use super::Deed;
use super::memory::zeros;

pub(super) const fn all() -> [Deed; 9] {
    [
        Deed { name: "mount a tmpfs (fsmount, not attached)", run: mount_tmpfs },
        Deed { name: "setns(own namespace)", run: join_own },
        Deed { name: "open_by_handle_at(/)", run: open_by_handle },
        Deed { name: "ptrace a child", run: trace },
        Deed { name: "process_vm_readv a child", run: read_memory },
        Deed { name: "pidfd_getfd from a child", run: steal_descriptor },
        Deed { name: "TIOCSTI on an own terminal", run: type_ahead },
        Deed { name: "set flags of the loopback interface", run: configure_loopback },
        Deed { name: "raise a hard limit", run: raise_limit },
    ]
}

fn descriptor(result: libc::c_long) -> nix::Result<OwnedFd> {
    // SAFETY: the kernel has just opened it for us.
    Errno::result(result).map(|number| unsafe { OwnedFd::from_raw_fd(number as RawFd) })
}

fn mount_tmpfs() -> nix::Result<()> {
    const FSCONFIG_CMD_CREATE: u32 = 6;
    // SAFETY: a constant string, and numbers.
    let context = descriptor(unsafe { libc::syscall(libc::SYS_fsopen, c"tmpfs".as_ptr(), 0) })?;
    let number = context.as_raw_fd();
    // SAFETY: this command takes neither key nor value.
    Errno::result(unsafe { libc::syscall(libc::SYS_fsconfig, number, FSCONFIG_CMD_CREATE, 0_usize, 0_usize, 0) })?;
    // SAFETY: takes numbers only.
    descriptor(unsafe { libc::syscall(libc::SYS_fsmount, number, 0, 0) }).map(drop)
}

fn join_own() -> nix::Result<()> {
    let own = open("/proc/self/ns/uts", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    nix::sched::setns(own, nix::sched::CloneFlags::CLONE_NEWUTS)
}

/// What let `shocker` read any file of the host: a handle is an inode number, and those can be guessed.
fn open_by_handle() -> nix::Result<()> {
    let root = open("/", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut mount = 0;
    // A `file_handle`: the length that there is for it, then what the kernel fills in.
    let handle = zeros() as *mut libc::c_uint;
    // SAFETY: the page has room for the length and 128 bytes.
    unsafe { handle.write(128) };
    let (number, itself) = (root.as_raw_fd(), libc::AT_EMPTY_PATH);
    // SAFETY: the handle has the room that it says, and the rest lives.
    let named =
        unsafe { libc::syscall(libc::SYS_name_to_handle_at, number, c"".as_ptr(), handle, &raw mut mount, itself) };
    match Errno::result(named) {
        Ok(_) => {}
        // The file system has no handles. The kernel checks who asks before it notices, so 8 bytes of any type do.
        Err(Errno::EOPNOTSUPP) => {
            // SAFETY: as above.
            unsafe { handle.cast::<[libc::c_uint; 2]>().write([8, 1]) };
        }
        Err(errno) => return Err(errno),
    }
    // SAFETY: a handle that is as long as it says.
    match descriptor(unsafe { libc::syscall(libc::SYS_open_by_handle_at, number, handle, libc::O_RDONLY) }) {
        Ok(_) | Err(Errno::ESTALE) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Does something to a child that waits, and ends it.
fn to_a_child(deed: impl FnOnce(Pid) -> nix::Result<()>) -> nix::Result<()> {
    // SAFETY: there is one thread.
    match unsafe { fork() }? {
        ForkResult::Child => loop {
            nix::unistd::pause();
        },
        ForkResult::Parent { child } => {
            let result = deed(child);
            let _ = kill(child, Signal::SIGKILL);
            let _ = waitpid(child, None);
            result
        }
    }
}

fn trace() -> nix::Result<()> {
    // SAFETY: seizing takes numbers only.
    to_a_child(|child| Errno::result(unsafe { libc::ptrace(libc::PTRACE_SEIZE, child.as_raw(), 0, 0) }).map(drop))
}

fn read_memory() -> nix::Result<()> {
    let from = [1_u8; 8];
    to_a_child(|child| {
        let mut to = [0_u8; 8];
        let local = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() };
        let remote = libc::iovec { iov_base: from.as_ptr().cast_mut().cast(), iov_len: from.len() };
        // SAFETY: it writes to `to`, and reads in a copy of this process.
        Errno::result(unsafe { libc::process_vm_readv(child.as_raw(), &raw const local, 1, &raw const remote, 1, 0) })
            .map(drop)
    })
}

fn steal_descriptor() -> nix::Result<()> {
    to_a_child(|child| {
        // SAFETY: takes numbers only.
        let pidfd = descriptor(unsafe { libc::syscall(libc::SYS_pidfd_open, child.as_raw(), 0) })?;
        // SAFETY: likewise.
        descriptor(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), 0, 0) }).map(drop)
    })
}

/// Puts a byte into the input of a terminal, as if it had been typed.
fn type_ahead() -> nix::Result<()> {
    let main = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
    grantpt(&main)?;
    unlockpt(&main)?;
    // SAFETY: takes numbers only.
    let ours = descriptor(libc::c_long::from(unsafe {
        libc::ioctl(main.as_raw_fd(), libc::TIOCGPTPEER, libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC)
    }))?;
    // SAFETY: the child leads a session without a terminal; it takes a number.
    Errno::result(unsafe { libc::ioctl(ours.as_raw_fd(), libc::TIOCSCTTY, 0) })?;
    // SAFETY: reads one byte.
    let typed = Errno::result(unsafe { libc::ioctl(ours.as_raw_fd(), libc::TIOCSTI, c"x".as_ptr()) }).map(drop);
    // Closing it would hang up the terminal, and end this child before it can answer.
    std::mem::forget(main);
    typed
}

/// Sets the flags that it has.
fn configure_loopback() -> nix::Result<()> {
    let lo: &CStr = c"lo";
    // SAFETY: takes numbers only.
    let socket = descriptor(libc::c_long::from(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0) }))?;
    // SAFETY: all zero is a valid request.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(lo.to_bytes()) {
        *to = *from as libc::c_char;
    }
    for operation in [libc::SIOCGIFFLAGS, libc::SIOCSIFFLAGS] {
        // SAFETY: the kernel reads and writes one request.
        Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), operation, &raw mut request) })?;
    }
    Ok(())
}

fn raise_limit() -> nix::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_CORE)?;
    let (lower, higher) = if hard == 0 { (0, 1) } else { (hard - 1, hard) };
    setrlimit(Resource::RLIMIT_CORE, soft.min(lower), lower)?;
    setrlimit(Resource::RLIMIT_CORE, soft.min(lower), higher)
}
