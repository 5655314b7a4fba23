//! Files that are the machine's.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::path::Path;

use nix::fcntl::{AtFlags, RenameFlags, renameat2};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use super::{Outcome, answer, errno, io, wait_for_the_end};

/// Opens a file for writing, and writes nothing.
pub fn open_write(path: &str) -> Outcome {
    OpenOptions::new().write(true).open(path).map_err(|error| format!("open {path}: {}", io(&error)))?;
    Ok(format!("{path}: opened for writing"))
}

/// Makes a node for a device, and opens it for reading. `number` is as `7:0`.
pub fn open_device(kind: &str, number: &str) -> Outcome {
    let (major, minor) = number.split_once(':').ok_or("MAJOR:MINOR")?;
    let number = makedev(major.parse().map_err(|_| "MAJOR")?, minor.parse().map_err(|_| "MINOR")?);
    let kind = if kind == "b" { SFlag::S_IFBLK } else { SFlag::S_IFCHR };
    let node = Path::new("/made-device");
    mknod(node, kind, Mode::S_IRUSR, number).map_err(|problem| format!("mknod: {}", errno(problem)))?;
    let opened = File::open(node).map_err(|error| format!("open: {}", io(&error)));
    std::fs::remove_file(node).map_err(|error| io(&error))?;
    opened.map(|_| "made and opened".to_owned())
}

/// A program that the kernel starts as root of the machine when a cgroup of v1 becomes empty: opened, not written.
pub fn release_agent() -> Outcome {
    let point = "/tmp/cgroup-of-v1";
    std::fs::create_dir_all(point).map_err(|error| io(&error))?;
    let mounted = mount(Some("cgroup"), point, Some("cgroup"), MsFlags::empty(), Some("memory"));
    mounted.map_err(|problem| format!("mount: {}", errno(problem)))?;
    open_write(&format!("{point}/release_agent"))
}

/// Exchanges two names in a directory, again and again, until standard input ends.
pub fn swap(dir: &str, one: &str, other: &str) -> Outcome {
    let dir = File::open(dir).map_err(|error| io(&error))?;
    std::thread::spawn(move || {
        wait_for_the_end();
        std::process::exit(0);
    });
    let (one, other) = (Path::new(one), Path::new(other));
    loop {
        renameat2(&dir, one, &dir, other, RenameFlags::RENAME_EXCHANGE).map_err(errno)?;
    }
}

/// `struct file_handle` of open_by_handle_at(2), with room for any handle.
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    handle: [u8; 128],
}

/// Opens a file of its file system by a number instead of a path: a way past any root.
pub fn by_handle(path: &str) -> Outcome {
    let mut handle = Handle { bytes: 128, kind: 0, handle: [0; 128] };
    let mut mount_id = 0;
    let name = CString::new(path).map_err(|_| "zero byte")?;
    let flags = AtFlags::empty().bits();
    // SAFETY: the kernel reads a path and writes a handle of at most 128 bytes and an integer.
    let named = unsafe {
        libc::syscall(
            libc::SYS_name_to_handle_at,
            libc::AT_FDCWD,
            name.as_ptr(),
            &raw mut handle,
            &raw mut mount_id,
            flags,
        )
    };
    answer(named).map_err(|problem| format!("name_to_handle_at: {problem}"))?;
    let dir = File::open(Path::new(path).parent().ok_or("no parent")?).map_err(|error| io(&error))?;
    // SAFETY: the kernel reads the handle.
    let opened =
        unsafe { libc::syscall(libc::SYS_open_by_handle_at, dir.as_raw_fd(), &raw const handle, libc::O_RDONLY) };
    answer(opened).map_err(|problem| format!("open_by_handle_at: {problem}"))?;
    Ok(format!("{path}: opened by its handle"))
}

/// Connects to a socket whose name is in no file system, and so in no root.
pub fn connect(name: &str) -> Outcome {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name).map_err(|error| io(&error))?;
    std::os::unix::net::UnixStream::connect_addr(&address).map_err(|error| io(&error))?;
    Ok(format!("@{name}: connected"))
}
