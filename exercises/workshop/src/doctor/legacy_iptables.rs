//! Asking the kernel for the policy of the old iptables, which is not part of nftables.
//!
//! The program `iptables` has two forms. One speaks nftables ([`super::nftables`] finds what it makes); the other
//! reads and writes a table as one block of memory, by getsockopt(2) and setsockopt(2) (linux/netfilter_ipv4/ip_tables.h).

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

const GET_INFO: libc::c_int = 64;
const GET_ENTRIES: libc::c_int = 65;
const NAME: usize = 32;
/// Of the answer to GET_INFO: where in the table the last rule of the forward hook is, and the table's size.
const UNDERFLOW_OF_FORWARD: usize = NAME + 4 + 5 * 4 + 2 * 4;
const TABLE_SIZE: usize = NAME + 4 + 5 * 4 + 5 * 4 + 4;
const INFO: usize = TABLE_SIZE + 4;
/// Of the answer to GET_ENTRIES: where the table starts.
const TABLE: usize = 40;
/// Of a rule: where its target starts, written at this place.
const TARGET_OFFSET: usize = 88;
/// Of a standard target: its verdict, -1 for drop.
const VERDICT: usize = 32;
const DROP: i32 = -1;

/// Whether what the table `filter` of the old iptables does not accept is not forwarded. `None` where that table is
/// not in use: asking for it would load it, so whether it is there is read first. Needs `CAP_NET_ADMIN` and root.
pub fn forward_drops() -> nix::Result<Option<bool>> {
    let in_use = match std::fs::read_to_string("/proc/net/ip_tables_names") {
        Ok(names) => names.lines().any(|name| name == "filter"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))),
    };
    if !in_use {
        return Ok(None);
    }
    let (info, table) = read()?;
    let offset = number(&info, UNDERFLOW_OF_FORWARD).ok_or(Errno::EBADMSG)?;
    Ok(Some(verdict(&table, offset as usize).ok_or(Errno::EBADMSG)? == DROP))
}

/// What the kernel says about the table, and the table itself.
pub fn read() -> nix::Result<(Vec<u8>, Vec<u8>)> {
    let socket = raw_socket()?;
    let mut info = vec![0; INFO];
    info[..6].copy_from_slice(b"filter");
    ask(&socket, GET_INFO, &mut info)?;
    let size = number(&info, TABLE_SIZE).ok_or(Errno::EBADMSG)?;
    let mut entries = vec![0; TABLE + size as usize];
    entries[..6].copy_from_slice(b"filter");
    entries[NAME..NAME + 4].copy_from_slice(&size.to_ne_bytes());
    ask(&socket, GET_ENTRIES, &mut entries)?;
    Ok((info, entries.split_off(TABLE)))
}

fn raw_socket() -> nix::Result<OwnedFd> {
    socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw)
}

fn ask(socket: &OwnedFd, what: libc::c_int, buffer: &mut [u8]) -> nix::Result<()> {
    let mut length = buffer.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, which is the size of the buffer.
    let answer = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_IP, what, buffer.as_mut_ptr().cast(), &raw mut length)
    };
    Errno::result(answer).map(drop)
}

/// The verdict of the rule at `offset` in a table.
fn verdict(table: &[u8], offset: usize) -> Option<i32> {
    let rule = table.get(offset..)?;
    let target = u16::from_ne_bytes(*rule.get(TARGET_OFFSET..)?.first_chunk()?);
    number(rule.get(usize::from(target)..)?, VERDICT).map(u32::cast_signed)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// What `iptables-legacy -P FORWARD DROP` does, for tests: writes the table back with one verdict changed.
#[cfg(test)]
pub fn set_forward_policy_to_drop() -> nix::Result<()> {
    const REPLACE: libc::c_int = 64;
    let (info, mut table) = read()?;
    let rule = number(&info, UNDERFLOW_OF_FORWARD).ok_or(Errno::EBADMSG)? as usize;
    let target = usize::from(u16::from_ne_bytes([table[rule + TARGET_OFFSET], table[rule + TARGET_OFFSET + 1]]));
    table[rule + target + VERDICT..][..4].copy_from_slice(&DROP.to_ne_bytes());
    let rules = number(&info, TABLE_SIZE - 4).ok_or(Errno::EBADMSG)?;
    let mut counters = vec![0_u8; rules as usize * 16];
    let mut request = info[..NAME + 4].to_vec();
    request.extend(rules.to_ne_bytes());
    request.extend((table.len() as u32).to_ne_bytes());
    request.extend(&info[NAME + 4..TABLE_SIZE - 4]);
    request.extend(rules.to_ne_bytes());
    request.extend((counters.as_mut_ptr() as u64).to_ne_bytes());
    request.extend(&table);
    let (socket, length) = (raw_socket()?, request.len() as libc::socklen_t);
    // SAFETY: the request has the length that is passed, and points to counters for every rule in it.
    let answer =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_IP, REPLACE, request.as_ptr().cast(), length) };
    Errno::result(answer).map(drop)
}
