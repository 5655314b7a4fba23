//! A network of one's own: network_namespaces(7).

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use look::kernel::{self, CloneFlags};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::child::{Attempt, Refusal};
use super::finding::{Advice, Finding};
use super::machine::Machine;
use super::needs::Requirement;
use super::{confinement, user_namespace};

const DID: &str = "made a network namespace, set its loopback up, and sent a byte through it";

/// Moves this process into one and uses it.
pub fn enter() -> Attempt {
    kernel::unshare(CloneFlags::CLONE_NEWNET, "links and addresses of its own")?;
    loopback_up()?;
    send_a_byte().map_err(|error| Refusal::io("connect", "127.0.0.1", &error))
}

/// Tries it.
pub fn probe(machine: &Machine) -> Finding {
    Requirement::NetworkNamespaces.probe(DID, "made, and its loopback works", machine)
}

/// What `ip link set lo up` does: netdevice(7).
fn loopback_up() -> Attempt {
    let refused = |errno| Refusal::new("ioctl", "lo up", errno);
    let any = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).map_err(refused)?;
    // SAFETY: integers and arrays of them, for which zero is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *place = *byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is the structure that SIOCSIFFLAGS reads, and outlives the call.
    let answer = unsafe { libc::ioctl(any.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    Errno::result(answer).map(drop).map_err(refused)
}

fn send_a_byte() -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut sender = TcpStream::connect(listener.local_addr()?)?;
    let (mut receiver, _) = listener.accept()?;
    sender.write_all(b"!")?;
    receiver.read_exact(&mut [0])
}

/// What stands in the way.
pub fn why(refusal: &Refusal, machine: &Machine) -> Advice {
    match refusal.errno() {
        _ if refusal.object == "NEWUSER" || refusal.call.starts_with("write ") => user_namespace::why(refusal, machine),
        Some(Errno::ENOSPC) => user_namespace::limit("user.max_net_namespaces", machine),
        Some(Errno::EPERM | Errno::EACCES) => confinement::explain(machine, !machine.is_root()),
        _ => Advice::only("This kernel may have been built without network namespaces (CONFIG_NET_NS)."),
    }
}
