//! Calls that make a process and that change what it is.

use std::ffi::CString;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Pid, Uid};

use crate::error::{Error, Result};
use crate::tell::{self, about_to, told};

/// Which side of [`clone3`] this is.
#[derive(Debug)]
pub enum Cloned {
    /// The parent, with the child's id and a descriptor that stands for the child whatever happens to the id.
    Parent {
        /// The child's process id, as the parent sees it.
        pid: Pid,
        /// Becomes readable when the child ends (pidfd_open(2)).
        pidfd: OwnedFd,
    },
    /// The child.
    Child,
}

/// Of linux/sched.h: `libc` has it as a type that is too narrow for it.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// `clone3(2)` like a fork, with new namespaces. With `cgroup`, an opened directory of cgroup v2, the child is
/// born in that cgroup (`CLONE_INTO_CGROUP`).
///
/// The child is a copy of the calling thread alone: call it only while the process has one thread, or the copy
/// may wait for a lock that nobody will ever release.
pub fn clone3(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>, why: &str) -> Result<Cloned> {
    let mut pidfd: RawFd = -1;
    // SAFETY: all fields are integers, for which zero is valid and means "not asked for".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (namespaces.bits() as u32 | libc::CLONE_PIDFD as u32).into();
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    args.pidfd = (&raw mut pidfd) as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // Told first, because what the child tells would else come before it.
    about_to("clone3", &flag_names(namespaces), why);
    // SAFETY: without CLONE_VM this is a fork: the child runs on in its own copy of the memory. The structure
    // outlives the call, and its size goes with it.
    let answer = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>()) };
    if answer == 0 {
        tell::now_inside();
        return Ok(Cloned::Child);
    }
    let pid = Errno::result(answer).map_err(|errno| Error::call("clone3", flag_names(namespaces), errno))?;
    // SAFETY: the kernel wrote a new descriptor that nobody else owns.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Cloned::Parent { pid: Pid::from_raw(pid as i32), pidfd })
}

/// `fork(2)`: a copy of this process in the same namespaces. `None` in the child. For where a filter hides clone3; what
/// is said there of threads goes here too.
pub fn fork(why: &str) -> Result<Option<Pid>> {
    about_to("fork", "a child", why);
    // SAFETY: the caller has one thread.
    match unsafe { nix::unistd::fork() } {
        Ok(nix::unistd::ForkResult::Parent { child }) => Ok(Some(child)),
        Ok(nix::unistd::ForkResult::Child) => Ok(None),
        Err(errno) => Err(Error::call("fork", "a child", errno)),
    }
}

/// `unshare(2)`: moves this process into new namespaces.
pub fn unshare(namespaces: CloneFlags, why: &str) -> Result<()> {
    told("unshare", || flag_names(namespaces), why, || nix::sched::unshare(namespaces))
}

/// `setns(2)` on a pidfd (Linux 5.8): moves this process into namespaces of another one, all at once. A PID
/// namespace is entered by the children to come.
pub fn setns(process: BorrowedFd<'_>, namespaces: CloneFlags, why: &str) -> Result<()> {
    told("setns", || flag_names(namespaces), why, || nix::sched::setns(process, namespaces))
}

/// `NEWNS|NEWPID`: the flags of clone3, unshare and setns without their common prefix.
fn flag_names(flags: CloneFlags) -> String {
    let names: Vec<_> = flags.iter_names().map(|(name, _)| name.trim_start_matches("CLONE_")).collect();
    names.join("|")
}

/// `chdir(2)`: changes where relative paths start.
pub fn chdir(path: impl AsRef<Path>, why: &str) -> Result<()> {
    let path = path.as_ref();
    told("chdir", || path.display().to_string(), why, || nix::unistd::chdir(path))
}

/// `fchdir(2)`: changes where relative paths start to an opened directory.
pub fn fchdir(dir: BorrowedFd<'_>, name: &str, why: &str) -> Result<()> {
    told("fchdir", || name.to_owned(), why, || nix::unistd::fchdir(dir))
}

// ANCHOR: sethostname
/// `sethostname(2)`: names the machine, as far as this UTS namespace reaches.
pub fn sethostname(name: &str, why: &str) -> Result<()> {
    told("sethostname", || name.to_owned(), why, || nix::unistd::sethostname(name))
}
// ANCHOR_END: sethostname

/// `setsid(2)`: starts a session without a controlling terminal.
pub fn setsid(why: &str) -> Result<()> {
    told("setsid", || "a new session".to_owned(), why, || nix::unistd::setsid().map(drop))
}

/// `ioctl(TIOCSCTTY)`: makes `terminal` the controlling terminal of this session, so that Ctrl-C reaches it.
pub fn controlling_terminal(terminal: BorrowedFd<'_>, why: &str) -> Result<()> {
    told(
        "ioctl",
        || "TIOCSCTTY".to_owned(),
        why,
        || {
            // SAFETY: TIOCSCTTY takes an integer, and the descriptor is borrowed for the length of the call.
            Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) }).map(drop)
        },
    )
}

/// `prctl(PR_SET_PDEATHSIG, SIGKILL)`: this process dies when its parent does. An execve of a set-user-ID program
/// undoes it.
pub fn die_with_parent(why: &str) -> Result<()> {
    told("prctl", || "PDEATHSIG KILL".into(), why, || nix::sys::prctl::set_pdeathsig(Signal::SIGKILL))
}

/// `setgroups(2)`: replaces the supplementary groups.
pub fn setgroups(groups: &[Gid], why: &str) -> Result<()> {
    let shown = || format!("{:?}", groups.iter().map(|g| g.as_raw()).collect::<Vec<_>>());
    told("setgroups", shown, why, || nix::unistd::setgroups(groups))
}

/// `setresgid(2)` with one id for real, effective and saved.
pub fn setresgid(gid: Gid, why: &str) -> Result<()> {
    told("setresgid", || gid.to_string(), why, || nix::unistd::setresgid(gid, gid, gid))
}

/// `setresuid(2)` with one id for real, effective and saved.
pub fn setresuid(uid: Uid, why: &str) -> Result<()> {
    told("setresuid", || uid.to_string(), why, || nix::unistd::setresuid(uid, uid, uid))
}

/// `close_range(2)` with `CLOSE_RANGE_CLOEXEC`: nothing from `first` on outlives the next `execve`.
pub fn close_on_exec_from(first: u32, why: &str) -> Result<()> {
    told(
        "close_range",
        || format!("{first}… on exec"),
        why,
        || {
            // SAFETY: takes three integers, and changes only the flag of descriptors.
            let answer =
                unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
            Errno::result(answer).map(drop)
        },
    )
}

/// `execveat(2)`: becomes the program that is open as `program`. If that program's work is to become another one, `then`,
/// this is told too: nobody else could. Comes back only with an error.
pub fn execveat(
    program: BorrowedFd<'_>,
    then: Option<&str>,
    arguments: &[CString],
    environment: &[CString],
    why: &str,
) -> Error {
    const NAME: &str = "a program in sealed memory";
    about_to("execveat", NAME, why);
    then.inspect(|path| about_to("execve", path, "and that program becomes the command"));
    match nix::unistd::execveat(program, c"", arguments, environment, nix::fcntl::AtFlags::AT_EMPTY_PATH) {
        Ok(never) => match never {},
        Err(errno) => Error::call("execveat", NAME, errno),
    }
}
