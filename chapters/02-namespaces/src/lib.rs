//! # Chapter 2: a view of its own
//!
//! Chapter 1 changed which files a process sees. The kernel keeps more such views: the list of processes, the name
//! of the machine, the network. Each is a *namespace*, and each process points to one of every kind. Processes that
//! point to the same one see the same; a process that points to one of its own is alone there.
//!
//! | kind     | what is one's own                                   | since | by default |
//! |----------|-----------------------------------------------------|-------|------------|
//! | `mnt`    | the mount table (chapter 1)                         | 2002  | yes        |
//! | `uts`    | the host name                                       | 2006  | yes        |
//! | `ipc`    | System V IPC, POSIX message queues                  | 2006  | yes        |
//! | `pid`    | process ids: the first process is number 1          | 2008  | yes        |
//! | `net`    | links, addresses, routes, ports                     | 2009  | yes        |
//! | `user`   | ids and capabilities ([`identity`])                 | 2013  | for users  |
//! | `cgroup` | which cgroup looks like the top one (chapter 3)     | 2016  | yes        |
//! | `time`   | the boot and monotonic clocks ([`clocks`])          | 2020  | on request |
//!
//! There are three ways into a namespace:
//!
//! - **be born in a new one**: [`spawn`], `clone3(2)` with a flag for each kind. This is how a container starts.
//! - **move to a new one**: `unshare(2)`. A PID namespace then takes only the children: nobody's id ever changes.
//! - **move to somebody else's**: `setns(2)`. [`enter`] is how you get a shell in a container that runs.
//!
//! Nobody has to clear a namespace away. It is there as long as a process is in it (or a descriptor or a mount
//! holds it), and gone after that.
//!
//! ## Number 1
//!
//! The first process of a PID namespace is its init, and has an init's duties. Orphans become its children, and it
//! must collect them when they end, or they stay as zombies: [`reap`]. Signals whose action is the default do not
//! end it. And when it ends, the kernel kills all the others. Most programs were not written for that, which is why
//! [`Init`] can stand in front of them (`tinbox run --init`).
//!
//! ## What is simplified here
//!
//! - A network namespace of one's own has a loopback link and nothing else. Chapter 6 connects it.
//! - The binary of this chapter gives no limits and takes no privileges away: chapters 3 and 8.
//!
//! ## What real runtimes do more
//!
//! - runc sets up in three processes and in C before Go's threads start, because setns refuses a user namespace to
//!   a process with threads. A program that is single-threaded when it clones needs neither.
//! - They can pin a namespace to a file (a bind mount of `/proc/PID/ns/net`), so that it outlives its processes.
//!   Kubernetes' pods rest on that.

pub mod alone;
pub mod clocks;
pub mod identity;
mod init;
mod proc;
mod process;

use std::os::fd::{AsFd, BorrowedFd};

use look::kernel::{self, CloneFlags, Cloned};
use look::{Kind, Result, namespaces_of};
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

pub use init::Init;
pub use proc::{mount_point, mount_proc};
pub use process::{Process, shell_status};

// ANCHOR: spawn
/// Starts a process in new namespaces. It runs `child`, whose answer is its exit status, and never comes back.
///
/// With `cgroup`, an opened directory of cgroup v2, it is born in that cgroup. The caller stays where it is, and
/// gets a handle to wait for the process with. It must have one thread only: see [`kernel::clone3`].
pub fn spawn(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    // SOLUTION: spawn
    match kernel::clone3(namespaces, cgroup, "a process that will see a machine of its own")? {
        Cloned::Parent { pid, pidfd } => Ok(Process::new(pid, pidfd)),
        Cloned::Child => {
            let status = child();
            std::process::exit(status.into())
        }
    }
    // SOLUTION_END
}
// ANCHOR_END: spawn

// ANCHOR: enter
/// Starts a process in all the namespaces of process `pid`. It runs `child` there, whose answer is its exit status.
///
/// The caller moves too, except that its own process ids stay what they are.
pub fn enter(pid: Pid, child: &mut dyn FnMut() -> u8) -> Result<Process> {
    // SOLUTION: enter
    let process = Process::open(pid)?;
    let (ours, theirs) = (namespaces_of(Pid::this())?, namespaces_of(pid)?);
    let other = theirs.iter().filter(|(kind, number)| ours.get(kind) != Some(number)).map(|(kind, _)| flag(*kind));
    join(process.as_fd(), other.collect())?;
    // Only a child is born into the PID namespace that was entered.
    spawn(CloneFlags::empty(), None, child)
    // SOLUTION_END
}
// ANCHOR_END: enter

/// Moves this process into these namespaces of `process`, by its pidfd. (`EINVAL` if its user namespace is asked for
/// and is the one that the caller is in already.)
pub fn join(process: BorrowedFd<'_>, namespaces: CloneFlags) -> Result<()> {
    if namespaces.is_empty() {
        return Ok(());
    }
    kernel::setns(process, namespaces, "see what that process sees")
}

// ANCHOR: reap
/// Collects every child of this process that has ended, without waiting for one. Answers with the status of the
/// child `main`, once it is among them: its own, or 128 + n if signal n ended it.
///
/// An init calls this each time that a `SIGCHLD` came.
pub fn reap(main: Pid) -> Result<Option<u8>> {
    // SOLUTION: reap
    let mut status = None;
    loop {
        // One signal may stand for many ends, so go on until there is none left.
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(status),
            Ok(ended) if ended.pid() == Some(main) => status = shell_status(ended).or(status),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(look::Error::call("waitpid", "any child", errno)),
        }
    }
    // SOLUTION_END
}
// ANCHOR_END: reap

/// The flag of clone3, unshare and setns that stands for a kind.
pub fn flag(kind: Kind) -> CloneFlags {
    match kind {
        Kind::Mnt => CloneFlags::CLONE_NEWNS,
        Kind::Pid => CloneFlags::CLONE_NEWPID,
        Kind::Uts => CloneFlags::CLONE_NEWUTS,
        Kind::Ipc => CloneFlags::CLONE_NEWIPC,
        Kind::User => CloneFlags::CLONE_NEWUSER,
        Kind::Cgroup => CloneFlags::CLONE_NEWCGROUP,
        Kind::Net => CloneFlags::CLONE_NEWNET,
        // The kernel's CLONE_NEWTIME, which nix does not know.
        Kind::Time => CloneFlags::from_bits_retain(libc::CLONE_NEWTIME),
    }
}
