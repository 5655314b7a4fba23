//! Keeping our own binary out of a container's reach.
//!
//! When a process calls execve, the kernel looks up the program while the process is still the old one. So an image
//! whose command is `/proc/self/exe`, or a script that begins with `#!/proc/self/exe`, gets the file of whoever
//! started it: in 2019 that was how a container could overwrite the runc of the machine (CVE-2019-5736), which then
//! ran as root.
//!
//! Here another program makes that last call: [`Shim::become_program`] first becomes a shim of 1 kB (`shim/shim.rs`) that
//! lies in sealed memory (memfd_create(2)), and the shim becomes the command. The path leads to those bytes, which
//! nobody can change, and which are thrown away. runc copies all of itself into such memory, for every container.
//!
//! Until then, `/proc/PID/exe` of the process must not be followed by others: it is not dumpable. A container that
//! may trace others (`SYS_PTRACE`) and has a process of ours as its neighbour for long needs more: for that,
//! [`run_sealed`] copies the whole program.

use std::ffi::{CStr, CString};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use look::kernel;
use look::{Error, Result};
use nix::fcntl::{FcntlArg, FdFlag, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// Its program, compiled by the build script.
const SHIM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shim"));

/// What the sealed copy of this program is called.
const COPY: &CStr = c"tinbox";

/// The shim, in sealed memory.
#[derive(Debug)]
pub struct Shim(OwnedFd);

impl Shim {
    /// Makes it.
    pub fn new() -> Result<Shim> {
        Ok(Shim(sealed(c"tinbox-shim", &mut &*SHIM)?))
    }

    /// Becomes the program at `path`. Comes back only if not even the shim can be run.
    ///
    /// `report` stays open until the command runs. If it cannot be run, one byte comes out of the other end: the number
    /// of the error. Every other descriptor above 2 must be close-on-exec.
    pub fn become_program(
        &self,
        path: &CStr,
        arguments: &[CString],
        environment: &[CString],
        report: BorrowedFd<'_>,
    ) -> Error {
        // It is to outlive the next execve, and the shim sees to it that it does not outlive the one after that.
        if let Err(errno) = fcntl(report, FcntlArg::F_SETFD(FdFlag::empty())) {
            return Error::call("fcntl", "the report", errno);
        }
        let number = CString::new(report.as_raw_fd().to_string()).unwrap_or_default();
        let mut all = vec![path.to_owned(), number];
        all.extend_from_slice(arguments);
        let why = "no path inside leads to the file of Tinbox any more";
        kernel::execveat(self.0.as_fd(), Some(&path.to_string_lossy()), &all, environment, why)
    }
}

/// A program in memory that nobody can change any more.
fn sealed(name: &CStr, program: &mut dyn std::io::Read) -> Result<OwnedFd> {
    let failed = |errno| Error::call("memfd_create", name.to_string_lossy(), errno);
    let fd = memfd_create(name, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).map_err(failed)?;
    let mut file = std::fs::File::from(fd);
    std::io::copy(program, &mut file)
        .and_then(|_| file.flush())
        .map_err(|error| Error::io("write", name.to_string_lossy(), &error))?;
    let seals = SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).map_err(failed)?;
    Ok(file.into())
}

/// Goes on as a copy of this program in sealed memory, with the same arguments and variables. Does nothing if it is that
/// copy already. Call it before anything is opened or started.
pub fn run_sealed() -> Result<()> {
    let own = "/proc/self/exe";
    let failed = |error: std::io::Error| Error::io("open", own, &error);
    let link = std::fs::read_link(own).map_err(failed)?;
    if link.as_os_str().as_bytes().starts_with(b"/memfd:") {
        return Ok(());
    }
    let copy = sealed(COPY, &mut std::fs::File::open(own).map_err(failed)?)?;
    let word = |word: std::ffi::OsString| CString::new(word.into_encoded_bytes()).ok();
    let arguments: Vec<CString> = std::env::args_os().filter_map(word).collect();
    let variable = |(mut name, value): (std::ffi::OsString, std::ffi::OsString)| {
        name.push("=");
        name.push(value);
        word(name)
    };
    let environment: Vec<CString> = std::env::vars_os().filter_map(variable).collect();
    let why = "a copy of this program, which a container may see but not change";
    Err(kernel::execveat(copy.as_fd(), None, &arguments, &environment, why))
}
