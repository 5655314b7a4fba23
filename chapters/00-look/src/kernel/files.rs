//! Calls that make the files of a new root, and the files of `/proc` that change a namespace.

use std::os::fd::BorrowedFd;

use nix::sys::stat::{Mode, SFlag};
use nix::unistd::{Gid, Uid};

use crate::error::Result;
use crate::tell::told;

/// `mkdirat(2)`: makes the directory `name` in `dir`, with exactly `mode` where the umask allows.
pub fn mkdir(dir: BorrowedFd<'_>, name: &str, mode: u32, why: &str) -> Result<()> {
    let mode = Mode::from_bits_truncate(mode);
    told("mkdirat", || name.to_owned(), why, || nix::sys::stat::mkdirat(dir, name, mode))
}

/// `symlinkat(2)`: makes `name` in `dir` point to `target`.
pub fn symlink(target: &str, dir: BorrowedFd<'_>, name: &str, why: &str) -> Result<()> {
    told("symlinkat", || format!("{name} → {target}"), why, || nix::unistd::symlinkat(target, dir, name))
}

/// `mknodat(2)`: makes the empty file `name` in `dir`.
pub fn mkfile(dir: BorrowedFd<'_>, name: &str, mode: u32, why: &str) -> Result<()> {
    make_node(dir, name, SFlag::S_IFREG, (0, 0), mode, why)
}

/// `mknodat(2)`: makes the character device `name` in `dir`, with these major and minor numbers.
pub fn mknod_char(dir: BorrowedFd<'_>, name: &str, number: (u64, u64), mode: u32, why: &str) -> Result<()> {
    make_node(dir, name, SFlag::S_IFCHR, number, mode, why)
}

/// `mknodat(2)`: makes the block device `name` in `dir`, with these major and minor numbers.
pub fn mknod_block(dir: BorrowedFd<'_>, name: &str, number: (u64, u64), mode: u32, why: &str) -> Result<()> {
    make_node(dir, name, SFlag::S_IFBLK, number, mode, why)
}

fn make_node(
    dir: BorrowedFd<'_>,
    name: &str,
    kind: SFlag,
    (major, minor): (u64, u64),
    mode: u32,
    why: &str,
) -> Result<()> {
    let shown = || match kind {
        SFlag::S_IFCHR => format!("{name} (char {major}:{minor})"),
        SFlag::S_IFBLK => format!("{name} (block {major}:{minor})"),
        _ => name.to_owned(),
    };
    let (mode, number) = (Mode::from_bits_truncate(mode), nix::sys::stat::makedev(major, minor));
    told("mknodat", shown, why, || nix::sys::stat::mknodat(dir, name, kind, mode, number))
}

/// `fchown(2)`: gives an open file to a user and group.
pub fn chown(file: BorrowedFd<'_>, name: &str, uid: u32, gid: u32, why: &str) -> Result<()> {
    let (user, group) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    told("fchown", || format!("{name} to {uid}:{gid}"), why, || nix::unistd::fchown(file, user, group))
}

/// Writes `line` to `/proc/PID/uid_map`, `gid_map` or `setgroups`: how a user namespace gets its ids
/// (user_namespaces(7), "Defining user and group ID mappings"); or to `timens_offsets`, as a time namespace gets
/// its clocks (time_namespaces(7)).
///
/// `who` is a process id or `self`.
pub fn write_map(who: &str, file: &'static str, line: &str, why: &str) -> Result<()> {
    let call = match file {
        "uid_map" => "write uid_map",
        "gid_map" => "write gid_map",
        "timens_offsets" => "write timens_offsets",
        _ => "write setgroups",
    };
    let path = format!("/proc/{who}/{file}");
    told(
        call,
        || format!("{} to {path}", line.trim_end()),
        why,
        || std::fs::write(&path, line).map_err(|e| nix::errno::Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO))),
    )
}

/// Writes `value` to `path`, an opened file of `/proc` that takes a setting: of `/proc/sys`, or of
/// `/proc/PID/attr`. It is told as `write`.
pub fn write_setting(file: BorrowedFd<'_>, path: &str, value: &str, why: &str) -> Result<()> {
    told("write", || format!("{value} to {path}"), why, || nix::unistd::write(file, value.as_bytes()).map(drop))
}
