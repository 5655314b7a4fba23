//! What went wrong: the operation, the object, the cause, and what to do about it.

use nix::errno::Errno;

/// The result of everything in this library.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure that names what was tried and on what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The kernel refused a call.
    #[error("{call} {object}: {}{}", describe(*.errno), advice(*.help))]
    Call {
        /// The system call, as its man page is named.
        call: &'static str,
        /// What it was to act on.
        object: String,
        /// What the kernel answered.
        errno: Errno,
        /// The usual cause of this answer, where there is one.
        help: Option<&'static str>,
    },
    /// Something was read, but it does not say what it should.
    #[error("read {object}: {problem}")]
    Content {
        /// The file or record.
        object: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Error {
    /// An error for `call` on `object`, with the usual cause looked up.
    pub fn call(call: &'static str, object: impl Into<String>, errno: Errno) -> Self {
        Error::Call { call, object: object.into(), errno, help: usual_cause(call, errno) }
    }

    /// An error of the standard library while doing `call` on `object`.
    pub fn io(call: &'static str, object: impl Into<String>, error: &std::io::Error) -> Self {
        let object = object.into();
        match error.raw_os_error() {
            Some(number) => Error::call(call, object, Errno::from_raw(number)),
            None => Error::Content { object, problem: error.to_string() },
        }
    }

    /// What the kernel answered, if it was asked.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Error::Call { errno, .. } => Some(*errno),
            Error::Content { .. } => None,
        }
    }
}

/// `EPERM (Operation not permitted)`.
pub fn describe(errno: Errno) -> String {
    format!("{errno:?} ({})", errno.desc())
}

fn advice(help: Option<&'static str>) -> String {
    help.map(|text| format!("\n  help: {text}")).unwrap_or_default()
}

/// One line on what most often lies behind an answer of the kernel.
fn usual_cause(call: &str, errno: Errno) -> Option<&'static str> {
    Some(match (call, errno) {
        ("clone3" | "unshare", Errno::EPERM) => {
            "this machine does not let you make a user namespace; `cargo workshop doctor` says why and how to change it"
        }
        ("clone3" | "unshare", Errno::ENOSPC) => {
            "the limit on namespaces is reached: look at /proc/sys/user/max_*_namespaces"
        }
        ("clone3", Errno::ENOSYS) => {
            "a seccomp filter or an old kernel hides clone3: Linux 5.12 or newer is needed, outside older container engines"
        }
        ("write setgroups" | "write uid_map" | "write gid_map", Errno::EPERM | Errno::EACCES) => {
            "the kernel or a security module refuses the mapping; `cargo workshop doctor` finds out which"
        }
        ("pivot_root", Errno::EINVAL) => {
            "the new root must be a mount point, and neither it nor the mount above it may be shared"
        }
        ("pivot_root", Errno::EBUSY) => {
            "the new root is on the same mount as the current root: bind it onto itself first"
        }
        ("mount", Errno::EPERM) => {
            "mounting needs CAP_SYS_ADMIN in the user namespace that owns this mount namespace; \
             a new /proc also needs one that is not covered in parts, as it is inside other containers"
        }
        ("openat2", Errno::ELOOP | Errno::ENOTDIR) => {
            "it must be a directory, and no symlink may lead there: the image could send it anywhere"
        }
        ("seccomp", Errno::EACCES) => "a filter needs no_new_privs, or CAP_SYS_ADMIN in the user namespace",
        (write, Errno::ENOENT) if write.starts_with("write ") => {
            "this cgroup has no such file: its controller is not handed on to it, or belongs to cgroup v1 here"
        }
        ("fork" | "clone3", Errno::EAGAIN) => {
            "no more processes are allowed: raise --pids-limit, or look at ulimit -u and /proc/sys/kernel/pid_max"
        }
        ("chroot", Errno::EPERM) => "chroot needs CAP_SYS_CHROOT: be root, or root of your own user namespace",
        ("setresuid" | "setresgid", Errno::EINVAL) => {
            "this id is not mapped in the user namespace: as an ordinary user you have one id to give away"
        }
        _ => return None,
    })
}
