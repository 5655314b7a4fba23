//! Calls that make a cgroup, set its limits and take it away. A cgroup is a directory, its limits are files in it:
//! cgroups(7).

use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::stat::Mode;

use crate::error::Result;
use crate::tell::told;

/// `mkdir(2)`: makes a cgroup. The kernel fills the directory with its files.
pub fn make_cgroup(cgroup: &Path, why: &str) -> Result<()> {
    let mode = Mode::from_bits_truncate(0o755);
    told("mkdir", || cgroup.display().to_string(), why, || nix::unistd::mkdir(cgroup, mode))
}

/// `rmdir(2)`: takes a cgroup away, with its files. `EBUSY` while processes or cgroups are in it.
pub fn remove_cgroup(cgroup: &Path, why: &str) -> Result<()> {
    let remove = || std::fs::remove_dir(cgroup).map_err(|error| errno(&error));
    told("rmdir", || cgroup.display().to_string(), why, remove)
}

/// Writes `value` to `file` of a cgroup: a limit, or a process that moves in (`0` to `cgroup.procs` is the caller).
pub fn write_cgroup(cgroup: &Path, file: &str, value: &str, why: &str) -> Result<()> {
    let path = cgroup.join(file);
    told(
        name_of_write(file),
        || format!("{value} to {}", path.display()),
        why,
        || {
            // Without O_CREAT, a file that the kernel does not offer is ENOENT.
            let mut file = OpenOptions::new().write(true).open(&path).map_err(|error| errno(&error))?;
            file.write_all(value.as_bytes()).map_err(|error| errno(&error))
        },
    )
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

/// The files that this course writes, v2's and v1's.
const WRITES: [&str; 26] = [
    "write cgroup.procs",
    "write cgroup.subtree_control",
    "write cgroup.freeze",
    "write cgroup.kill",
    "write cpu.max",
    "write cpu.weight",
    "write cpuset.cpus",
    "write cpuset.mems",
    "write io.weight",
    "write io.bfq.weight",
    "write memory.max",
    "write memory.low",
    "write memory.swap.max",
    "write pids.max",
    "write blkio.weight",
    "write blkio.bfq.weight",
    "write cpu.cfs_period_us",
    "write cpu.cfs_quota_us",
    "write cpu.shares",
    "write devices.allow",
    "write devices.deny",
    "write freezer.state",
    "write tasks",
    "write memory.limit_in_bytes",
    "write memory.memsw.limit_in_bytes",
    "write memory.soft_limit_in_bytes",
];

/// `write memory.max`: what the call is told as.
fn name_of_write(file: &str) -> &'static str {
    WRITES.into_iter().find(|name| name.strip_prefix("write ") == Some(file)).unwrap_or("write cgroup.file")
}

/// `BPF_PROG_TYPE_CGROUP_DEVICE` of linux/bpf.h.
const CGROUP_DEVICE_PROGRAM: u32 = 15;
/// `BPF_CGROUP_DEVICE` of linux/bpf.h: where such a program is attached.
const CGROUP_DEVICE: u32 = 6;
/// `BPF_F_ALLOW_MULTI`: cgroups below may have programs of their own, and each must allow.
const ALLOW_MULTI: u32 = 2;

/// `bpf(2)`, `BPF_PROG_LOAD`: has the kernel check and translate a program that decides about devices. Needs
/// `CAP_BPF` and `CAP_NET_ADMIN`, or `CAP_SYS_ADMIN`, in the machine's own user namespace.
pub fn load_device_program(instructions: &[u64], why: &str) -> Result<OwnedFd> {
    /// The head of `union bpf_attr` for `BPF_PROG_LOAD`. What follows in the kernel's is zero.
    #[repr(C)]
    struct Load {
        program_type: u32,
        count: u32,
        instructions: u64,
        license: u64,
    }
    const PROG_LOAD: libc::c_int = 5;
    let load = Load {
        program_type: CGROUP_DEVICE_PROGRAM,
        count: instructions.len() as u32,
        instructions: instructions.as_ptr() as u64,
        license: c"Dual MIT/GPL".as_ptr() as u64,
    };
    let shown = || format!("PROG_LOAD cgroup device, {} instructions", instructions.len());
    told("bpf", shown, why, || {
        // SAFETY: the structure, the instructions and the licence outlive the call, and their sizes go with them.
        let answer = unsafe { libc::syscall(libc::SYS_bpf, PROG_LOAD, &raw const load, size_of::<Load>()) };
        let fd = Errno::result(answer)?;
        // SAFETY: the kernel made a new descriptor that nobody else owns.
        Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
    })
}

/// `bpf(2)`, `BPF_PROG_ATTACH`: from now on `program` decides which devices the processes of an opened cgroup (v2)
/// may use. It stays as long as the cgroup. Needs what [`load_device_program`] needs.
pub fn attach_device_program(cgroup: BorrowedFd<'_>, name: &str, program: BorrowedFd<'_>, why: &str) -> Result<()> {
    /// The head of `union bpf_attr` for `BPF_PROG_ATTACH`.
    #[repr(C)]
    struct Attach {
        target: u32,
        program: u32,
        kind: u32,
        flags: u32,
    }
    const PROG_ATTACH: libc::c_int = 8;
    let attach = Attach {
        target: cgroup.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        kind: CGROUP_DEVICE,
        flags: ALLOW_MULTI,
    };
    told(
        "bpf",
        || format!("PROG_ATTACH to {name}"),
        why,
        || {
            // SAFETY: the structure outlives the call, and its size goes with it.
            let answer = unsafe { libc::syscall(libc::SYS_bpf, PROG_ATTACH, &raw const attach, size_of::<Attach>()) };
            Errno::result(answer).map(drop)
        },
    )
}
