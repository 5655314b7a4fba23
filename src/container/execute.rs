//! From a command to a program: where it is, and what to say when it is not.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};
use sandbox::shim::Shim;

use crate::container::OWN_ERROR;
use crate::container::channel::Channel;
use crate::container::plan::Plan;

/// Why the command did not start, and the status that says so: 126 not executable, 127 not found, 125 the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For the caller of `tinbox`.
    pub status: u8,
    /// For people.
    pub message: String,
}

impl Failure {
    /// A failure of Tinbox itself.
    pub fn own(error: &anyhow::Error) -> Failure {
        Failure { status: OWN_ERROR, message: format!("{error:#}") }
    }
}

/// What is at hand when everything else is done.
#[derive(Debug)]
pub struct Ready {
    /// The program that makes the last call.
    pub shim: Shim,
    /// The command's variables.
    pub env: Vec<CString>,
}

/// Becomes the command, or answers why it cannot. If it is the kernel that refuses the program, its answer goes out over
/// `channel`, and [`explain`] says what it means.
pub fn execute(plan: &Plan, ready: &Ready, channel: &Channel) -> Failure {
    let program = plan.command[0].to_string_lossy().into_owned();
    let path = match find(&program, search_path(&ready.env)) {
        Ok(path) => path,
        Err(failure) => return failure,
    };
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return not_found(&program) };
    let error = ready.shim.become_program(&path, &plan.command, &ready.env, channel.as_fd());
    Failure::own(&error.into())
}

/// The value of `PATH` among `env`.
fn search_path(env: &[CString]) -> &str {
    env.iter().find_map(|variable| variable.to_str().ok()?.strip_prefix("PATH=")).unwrap_or("")
}

/// What execvp(3) does: a word with a slash is a path, any other is looked for in each directory of `PATH`.
fn find(program: &str, search: &str) -> Result<PathBuf, Failure> {
    if program.contains('/') {
        let path = PathBuf::from(program);
        let refused = |reason: &str| Failure { status: 126, message: format!("run {}: {reason}", shown(program)) };
        return match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() => Err(refused("permission denied: it is a directory")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(not_found(program)),
            _ => Ok(path),
        };
    }
    let mut files = search.split(':').map(|dir| Path::new(dir).join(program)).filter(|path| path.is_file()).peekable();
    let first = files.peek().cloned();
    match (files.find(|path| access(path, AccessFlags::X_OK).is_ok()), first) {
        (Some(path), _) => Ok(path),
        (None, Some(path)) => Err(Failure {
            status: 126,
            message: format!("run {}: permission denied: it is not executable", shown(&path.to_string_lossy())),
        }),
        (None, None) => Err(Failure {
            status: 127,
            message: format!(
                "run {}: executable file not found in the container's PATH ({})",
                shown(program),
                shown(search)
            ),
        }),
    }
}

/// The image may have any text as its command or `PATH`.
fn shown(text: &str) -> String {
    images::shown(text.as_bytes())
}

fn not_found(program: &str) -> Failure {
    Failure { status: 127, message: format!("run {}: no such file in the container", shown(program)) }
}

/// What the kernel's answer to execve means for a file that is there.
pub fn explain(program: &str, errno: Errno) -> Failure {
    let reason = match errno {
        Errno::ENOENT => {
            "the file is there, but not the interpreter that its first line or its ELF header asks for".to_owned()
        }
        Errno::ENOEXEC => "exec format error: neither a program for this machine nor a script with #!".to_owned(),
        Errno::EACCES => "permission denied: it, or a directory above it, is not executable for this user".to_owned(),
        errno => look::describe(errno),
    };
    let status = if errno == Errno::ENOENT { 127 } else { 126 };
    Failure { status, message: format!("run {}: {reason}", shown(program)) }
}
