//! Worlds with packet rules in them, made over the same interfaces.

use std::os::fd::AsRawFd;

use look::kernel::{self, CloneFlags};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

use super::{found_in, namespaces_as};
use crate::doctor::child::{Attempt, Refusal, in_child};
use crate::doctor::nftables::message;
use crate::doctor::{forwarding, legacy_iptables};

/// Root of a network namespace that has no rules yet.
fn own_network() -> Attempt {
    namespaces_as(0)?;
    Ok(kernel::unshare(CloneFlags::CLONE_NEWNET, "rules of its own")?)
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The message that makes a table (`chain` is empty) or a chain in it; a base chain with a hook
/// and a policy.
fn make(table: &str, chain: &str, base: Option<(u32, u32)>) -> Vec<u8> {
    let name = |name: &str| [name.as_bytes(), b"\0"].concat();
    let mut payload = vec![libc::NFPROTO_IPV4 as u8, 0, 0, 0];
    payload.extend(attribute(1, &name(table)));
    let mut kind = libc::NFT_MSG_NEWTABLE;
    if !chain.is_empty() {
        kind = libc::NFT_MSG_NEWCHAIN;
        payload.extend(attribute(3, &name(chain)));
    }
    if let Some((hook, policy)) = base {
        let hook = [attribute(1, &hook.to_be_bytes()), attribute(2, &0_u32.to_be_bytes())].concat();
        payload.extend(attribute(4 | libc::NLA_F_NESTED as u16, &hook));
        payload.extend(attribute(5, &policy.to_be_bytes()));
        payload.extend(attribute(7, b"filter\0"));
    }
    let flags = libc::NLM_F_REQUEST | libc::NLM_F_CREATE | libc::NLM_F_ACK;
    message((libc::NFNL_SUBSYS_NFTABLES << 8 | kind) as u16, flags as u16, &payload)
}

/// Sends them as one batch and waits until each is acknowledged.
fn commit(messages: &[Vec<u8>]) -> nix::Result<()> {
    let edge = |kind: i32| {
        let resource = (libc::NFNL_SUBSYS_NFTABLES as u16).to_be_bytes();
        message(kind as u16, libc::NLM_F_REQUEST as u16, &[libc::AF_UNSPEC as u8, 0, resource[0], resource[1]])
    };
    let begin = edge(libc::NFNL_MSG_BATCH_BEGIN);
    let end = edge(libc::NFNL_MSG_BATCH_END);
    let batch = [&[begin], messages, &[end]].concat().concat();
    let netfilter = SockProtocol::NetlinkNetFilter;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, netfilter)?;
    send(socket.as_raw_fd(), &batch, MsgFlags::empty())?;
    for _ in messages {
        let mut answer = [0; 4096];
        recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
        let code = i32::from_ne_bytes(*answer[16..].first_chunk().ok_or(Errno::EBADMSG)?);
        Errno::result(if code == 0 {
            0
        } else {
            Errno::set_raw(-code);
            -1
        })?;
    }
    Ok(())
}

fn with_rules(messages: &[Vec<u8>]) -> Attempt {
    own_network()?;
    commit(messages).map_err(refused)
}

fn refused(errno: Errno) -> Refusal {
    Refusal::new("netlink", "a batch of nftables", errno)
}

const INPUT: u32 = 1;
const FORWARD: u32 = 2;
const DROP: u32 = 0;
const ACCEPT: u32 = 1;

#[test]
fn a_docker_that_drops_what_is_not_its_own() {
    let rules = [
        make("filter", "", None),
        make("filter", "DOCKER-USER", None),
        make("filter", "FORWARD", Some((FORWARD, DROP))),
    ];
    let found = found_in(|| with_rules(&rules), forwarding::probe);
    assert_eq!(found.outcome, "Warn", "{found:?}");
    assert!(found.said.starts_with("ip filter FORWARD drops"), "{found:?}");
    assert!(found.advice.contains("sudo iptables -I DOCKER-USER -i tinbox0 -j ACCEPT"), "{found:?}");
}

#[test]
fn chains_that_accept_or_are_at_another_hook_are_not_in_the_way() {
    let rules = [
        make("own", "", None),
        make("own", "passes", Some((FORWARD, ACCEPT))),
        make("own", "is-called", None),
        make("own", "for-us", Some((INPUT, DROP))),
    ];
    let found = found_in(|| with_rules(&rules), forwarding::probe);
    assert!(!found.said.contains("drops"), "{found:?}");
}

#[test]
fn many_chains_come_in_more_than_one_datagram() {
    let world = || {
        with_rules(&[make("filter", "", None)])?;
        let long = |number| make("filter", &format!("{}-{number}", "a-long-name".repeat(10)), None);
        let chains: Vec<Vec<u8>> =
            (0..1000).map(long).chain([make("filter", "the-last", Some((FORWARD, DROP)))]).collect();
        chains.chunks(50).try_for_each(commit).map_err(refused)
    };
    let found = found_in(world, forwarding::probe);
    assert!(found.said.starts_with("ip filter the-last drops"), "{found:?}");
}

#[test]
fn a_user_may_not_look() {
    let found = found_in(
        || {
            own_network()?;
            // A second user namespace has no rights over the network namespace of the first.
            namespaces_as(1000)
        },
        forwarding::probe,
    );
    assert_eq!(found.outcome, "NotKnown", "{found:?}");
    assert!(found.said.contains("EPERM") && found.advice.contains("doctor"), "{found:?}");
}

#[test]
fn the_old_iptables_are_asked_too() {
    let answers = in_child(|| {
        own_network()?;
        let ask =
            || legacy_iptables::forward_drops().map_err(|errno| Refusal::new("getsockopt", "the filter table", errno));
        let unused = ask()?;
        // Reading loads the table, where the kernel has it.
        let known = legacy_iptables::read().is_ok();
        let loaded = ask()?;
        if known {
            legacy_iptables::set_forward_policy_to_drop()
                .map_err(|errno| Refusal::new("setsockopt", "the filter table", errno))?;
        }
        Ok((known, unused, loaded, ask()?))
    });
    let (known, unused, loaded, dropping) = answers.unwrap();
    assert_eq!(unused, None, "asking must not load it");
    assert_eq!((loaded, dropping), if known { (Some(false), Some(true)) } else { (None, None) });
}
