//! `/proc/self/exe`: the file of the program that somebody else started this process with.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::{Outcome, SWITCH, io};

/// What is written where it does not belong.
pub const MARK: &[u8] = b"overwritten";

/// Keeps the file of its own program open for reading, and becomes the image's program: then nobody executes that file
/// any more, and it can be opened for writing.
pub fn keep_own_program() -> Outcome {
    let file = File::open("/proc/self/exe").map_err(|error| io(&error))?;
    // SAFETY: takes a descriptor and a flag.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) };
    let number = file.as_raw_fd().to_string();
    Err(io(&Command::new("/bin/act").args([SWITCH, "overwrite", &number]).exec()))
}

/// Opens again, for writing, what is open as `fd`.
pub fn overwrite(fd: &str) -> Outcome {
    let path = format!("/proc/self/fd/{fd}");
    let target = std::fs::read_link(&path).map_err(|error| io(&error))?;
    OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(MARK)).map_err(|error| io(&error))?;
    Ok(format!("{}: overwritten", target.display()))
}

/// Opens the program of another process for reading, and then for writing.
pub fn write_program_of(pid: &str) -> Outcome {
    let file = File::open(format!("/proc/{pid}/exe")).map_err(|error| format!("open it: {}", io(&error)))?;
    let link = std::fs::read_link(format!("/proc/{pid}/exe")).map_err(|error| io(&error))?;
    let again = format!("/proc/self/fd/{}", file.as_raw_fd());
    let writing = OpenOptions::new().write(true).open(again).and_then(|mut file| file.write_all(MARK));
    writing.map_err(|error| format!("write {}: {}", link.display(), io(&error)))?;
    Ok(format!("{}: overwritten", link.display()))
}
