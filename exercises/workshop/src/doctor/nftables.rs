//! Asking the kernel for the chains of nftables, over netlink(7).
//!
//! A message is a header, then attributes: length, type and value, each padded to four bytes. The numbers of the
//! headers are in the machine's byte order, those in the values of nftables in the network's.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

const GET_CHAIN: u16 = (libc::NFNL_SUBSYS_NFTABLES << 8) as u16 | libc::NFT_MSG_GETCHAIN as u16;
const HEADER: usize = size_of::<libc::nlmsghdr>();
/// Family, version and resource of a netfilter message.
const FAMILY_HEADER: usize = 4;

/// Attributes of a chain, and of the hook in it (linux/netfilter/nf_tables.h).
const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const CHAIN_POLICY: u16 = 5;
const HOOK_NUMBER: u16 = 1;

/// The hook that packets pass which are not for this machine.
const FORWARD: u32 = 2;
const DROP: u32 = 0;

/// A chain of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// `ip`, `ip6` or `inet`; others are not about forwarding.
    pub family: &'static str,
    /// The table that it is in.
    pub table: String,
    /// Its name.
    pub name: String,
    /// It sees every packet that is forwarded.
    pub at_forward: bool,
    /// What no rule accepts, it drops.
    pub drops: bool,
}

/// The chains of every table in this network namespace that can concern forwarding. Needs `CAP_NET_ADMIN`.
pub fn chains() -> nix::Result<Vec<Chain>> {
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkNetFilter)?;
    let every_family = [libc::AF_UNSPEC as u8, libc::NFNETLINK_V0 as u8, 0, 0];
    let request = message(GET_CHAIN, (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16, &every_family);
    send(socket.as_raw_fd(), &request, MsgFlags::empty())?;
    let mut chains = Vec::new();
    while receive(&socket, &mut chains)? {}
    Ok(chains)
}

/// A message of `kind`, with its header.
pub fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend(((HEADER + payload.len()) as u32).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(1_u32.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(payload);
    bytes
}

/// Takes one datagram of an answer. Says whether there is more to come.
fn receive(socket: &OwnedFd, chains: &mut Vec<Chain>) -> nix::Result<bool> {
    let mut buffer = vec![0; 64 << 10];
    let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
    let mut rest = &buffer[..length];
    while let Some((kind, payload, after)) = next_message(rest) {
        match i32::from(kind) {
            libc::NLMSG_DONE => return Ok(false),
            libc::NLMSG_ERROR => {
                let errno = payload.first_chunk().map_or(-libc::EBADMSG, |code| i32::from_ne_bytes(*code));
                return if errno == 0 { Ok(false) } else { Err(Errno::from_raw(-errno)) };
            }
            _ => chains.extend(chain(payload)),
        }
        rest = after;
    }
    Ok(length > 0)
}

/// The first message in `bytes`: its kind, what it holds, and the bytes after it.
fn next_message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let payload = bytes.get(HEADER..length)?;
    Some((kind, payload, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

fn chain(payload: &[u8]) -> Option<Chain> {
    let family = match i32::from(*payload.first()?) {
        libc::NFPROTO_IPV4 => "ip",
        libc::NFPROTO_IPV6 => "ip6",
        libc::NFPROTO_INET => "inet",
        _ => return None,
    };
    let attributes = payload.get(FAMILY_HEADER..)?;
    let hook = attribute(attributes, CHAIN_HOOK).and_then(|hook| number(attribute(hook, HOOK_NUMBER)?));
    Some(Chain {
        family,
        table: text(attribute(attributes, CHAIN_TABLE)?),
        name: text(attribute(attributes, CHAIN_NAME)?),
        at_forward: hook == Some(FORWARD),
        drops: attribute(attributes, CHAIN_POLICY).and_then(number) == Some(DROP),
    })
}

/// The value of the attribute `wanted` among `attributes`.
fn attribute(attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = attributes;
    loop {
        let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
        let kind = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?) & libc::NLA_TYPE_MASK as u16;
        let value = rest.get(4..length)?;
        if kind == wanted {
            return Some(value);
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

fn number(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*value.first_chunk()?))
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_answers_are_not_chains() {
        assert_eq!(next_message(&[]), None);
        assert_eq!(next_message(&[0; HEADER]), None, "a length of zero would go round for ever");
        assert_eq!(next_message(&message(1, 0, b"abcd")[..HEADER + 2]), None);
        assert_eq!(chain(&[libc::NFPROTO_IPV4 as u8, 0, 0, 0]), None);
        assert_eq!(attribute(&[0, 0, 1, 0], 1), None);
        assert_eq!(attribute(&[2, 0, 9, 0, 5, 0, 1, 0], 1), None);
        assert_eq!(attribute(&[255, 255, 1, 0], 1), None);
    }

    #[test]
    fn attributes_by_their_number() {
        let two = [5, 0, 9, 0, b'x', 0, 0, 0, 8, 0, 1, 0x80, 0, 0, 0, 7];
        assert_eq!(attribute(&two, 1).and_then(number), Some(7));
        assert_eq!(attribute(&two, 9).map(text).as_deref(), Some("x"));
        assert_eq!(attribute(&two, 3), None);
    }
}
