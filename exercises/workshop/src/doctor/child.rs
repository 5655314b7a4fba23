//! Trying something in a copy of this process, so that nothing of it is left behind.
//!
//! A namespace lives as long as somebody is in it. So a probe forks, and the child goes into namespaces of its
//! own, mounts and unmounts what it likes, and ends; with it go its mounts. What it found out comes back
//! through a pipe.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use look::kernel::{self, CloneFlags, MsFlags};
use nix::errno::Errno;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, getegid, geteuid};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What did not work, in a form that goes through a pipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The operation: a system call, or what was to be done with a file.
    pub call: String,
    /// What it was to act on.
    pub object: String,
    /// What the kernel answered; nothing if it was not the kernel that was dissatisfied.
    pub errno: Option<i32>,
}

/// What an attempt gives.
pub type Attempt<T = ()> = Result<T, Refusal>;

impl Refusal {
    /// The kernel answered `errno` to `call` on `object`.
    pub fn new(call: &str, object: impl Into<String>, errno: Errno) -> Refusal {
        Refusal { call: call.into(), object: object.into(), errno: Some(errno as i32) }
    }

    /// The kernel let `call` happen on `object`, but it did not do what it should: `problem`.
    pub fn wrong(call: &str, object: &str, problem: &str) -> Refusal {
        Refusal { call: call.into(), object: format!("{object}: {problem}"), errno: None }
    }

    /// The standard library's `error` for `call` on `object`.
    pub fn io(call: &str, object: impl Into<String>, error: &std::io::Error) -> Refusal {
        match error.raw_os_error() {
            Some(number) => Refusal::new(call, object, Errno::from_raw(number)),
            None => Refusal::wrong(call, &object.into(), &error.to_string()),
        }
    }

    /// What the kernel answered.
    pub fn errno(&self) -> Option<Errno> {
        self.errno.map(Errno::from_raw)
    }

    /// Whether a right was missing, whatever part of the kernel found so.
    pub fn is_forbidden(&self) -> bool {
        matches!(self.errno(), Some(Errno::EPERM | Errno::EACCES))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", format!("{} {}", self.call, self.object).trim_end())?;
        self.errno().map_or(Ok(()), |errno| write!(f, ": {}", look::describe(errno)))
    }
}

impl From<look::Error> for Refusal {
    fn from(error: look::Error) -> Self {
        match error {
            look::Error::Call { call, object, errno, .. } => Refusal::new(call, object, errno),
            look::Error::Content { object, problem } => Refusal::wrong("read", &object, &problem),
        }
    }
}

/// Runs `work` in a forked child and hands back what it answered. The child ends with it.
pub fn in_child<T: Serialize + DeserializeOwned>(work: impl FnOnce() -> Attempt<T>) -> Attempt<T> {
    in_child_meanwhile(work, |_| {})
}

/// Runs `work` in a forked child, and `meanwhile`, which gets the child's id, in this process. What the one has
/// captured is closed in the process of the other.
pub fn in_child_meanwhile<T: Serialize + DeserializeOwned>(
    work: impl FnOnce() -> Attempt<T>,
    meanwhile: impl FnOnce(Pid),
) -> Attempt<T> {
    let (mut reader, mut writer) = std::io::pipe().map_err(|e| Refusal::io("pipe", "for a child's answer", &e))?;
    // SAFETY: the child makes system calls, allocates (which glibc keeps working across a fork) and leaves by
    // _exit; it takes no lock that another thread could have held.
    match unsafe { fork() }.map_err(|errno| Refusal::new("fork", "a child to try it in", errno))? {
        ForkResult::Child => {
            drop((reader, meanwhile));
            let answer = catch_unwind(AssertUnwindSafe(work))
                .unwrap_or_else(|_| Err(Refusal::wrong("fork", "a child to try it in", "it panicked")));
            let written = serde_json::to_vec(&answer).is_ok_and(|text| writer.write_all(&text).is_ok());
            // SAFETY: leaves without running what the parent registered to run at its exit.
            unsafe { libc::_exit(i32::from(!written)) }
        }
        ForkResult::Parent { child } => {
            drop((writer, work));
            meanwhile(child);
            let mut answer = Vec::new();
            let read = reader.read_to_end(&mut answer);
            let end = waitpid(child, None).map_err(|errno| Refusal::new("waitpid", child.to_string(), errno))?;
            read.map_err(|e| Refusal::io("read", "a child's answer", &e))?;
            serde_json::from_slice(&answer)
                .unwrap_or_else(|_| Err(Refusal::wrong("fork", "a child to try it in", &format!("it ended: {end:?}"))))
        }
    }
}

/// Makes this process root of a new user namespace, in which only its own ids exist.
pub fn own_user_namespace() -> Attempt {
    let (uid, gid) = (geteuid(), getegid());
    kernel::unshare(CloneFlags::CLONE_NEWUSER, "to be root of something")?;
    kernel::write_map("self", "setgroups", "deny", "the kernel asks for this before a user may map a group")?;
    kernel::write_map("self", "uid_map", &format!("0 {uid} 1"), "user 0 inside is you outside")?;
    kernel::write_map("self", "gid_map", &format!("0 {gid} 1"), "and group 0 is your group")?;
    Ok(())
}

/// What Tinbox does first as an ordinary user; root needs nothing.
pub fn become_root() -> Attempt {
    if geteuid().is_root() { Ok(()) } else { own_user_namespace() }
}

/// [`become_root`], then [`private_mounts`].
pub fn own_mounts() -> Attempt {
    become_root()?;
    private_mounts()
}

/// A mount namespace of this process's own, from which nothing travels back.
pub fn private_mounts() -> Attempt {
    kernel::unshare(CloneFlags::CLONE_NEWNS, "to mount unseen")?;
    Ok(kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", "nothing travels back")?)
}
