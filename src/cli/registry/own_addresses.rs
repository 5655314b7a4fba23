//! The addresses by which others reach this machine.
//!
//! Source: getifaddrs(3), netdevice(7).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context, Result};
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;

/// An address of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAddress {
    /// The interface that has it: `eth0`.
    pub interface: String,
    /// It.
    pub ip: IpAddr,
    /// How many bits of it name the network, if it is an IPv4 address.
    pub bits: u32,
}

impl OwnAddress {
    /// The network that it is in, as in `10.77.0.0/24`; of IPv6, itself.
    pub fn network(&self) -> String {
        match self.ip {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                format!("{}/{}", Ipv4Addr::from(u32::from(ip) & mask), self.bits)
            }
            IpAddr::V6(ip) => ip.to_string(),
        }
    }
}

/// The addresses of all interfaces that are up, but for those that mean something on this machine or on one wire only.
/// First those of devices, then those of networks that are made of software: VPNs, bridges.
pub fn own_addresses() -> Result<Vec<OwnAddress>> {
    let mut own: Vec<OwnAddress> = getifaddrs().context("list this machine's addresses")?.filter_map(own).collect();
    let is_device = |own: &OwnAddress| Path::new("/sys/class/net").join(&own.interface).join("device").exists();
    own.sort_by_key(|own| (own.ip.is_ipv6(), !is_device(own)));
    Ok(own)
}

fn own(found: InterfaceAddress) -> Option<OwnAddress> {
    let ip = ip_of(found.address.as_ref()?)?;
    let is_up = found.flags.contains(InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING);
    let is_local = ip.is_loopback() || matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let bits = match found.netmask.as_ref().and_then(ip_of) {
        Some(IpAddr::V4(mask)) => u32::from(mask).leading_ones(),
        _ => 32,
    };
    (is_up && !is_local).then_some(OwnAddress { interface: found.interface_name, ip, bits })
}

fn ip_of(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| Some(IpAddr::V6(address.as_sockaddr_in6()?.ip())))
}

/// Those of them at which somebody reaches what listens on `address`.
pub fn reached_at(address: SocketAddr) -> Result<Vec<OwnAddress>> {
    let ip = address.ip().to_canonical();
    let own = own_addresses()?;
    if !ip.is_unspecified() {
        let known = own.into_iter().find(|own| own.ip == ip);
        return Ok(vec![known.unwrap_or(OwnAddress { interface: String::new(), ip, bits: 32 })]);
    }
    // No image can have a name with an IPv6 address in it.
    let both = ip.is_ipv4() || !is_v6_only();
    let (v4, v6): (Vec<_>, Vec<_>) = own.into_iter().partition(|own| own.ip.is_ipv4());
    Ok(if both && !v4.is_empty() || ip.is_ipv4() { v4 } else { v6 })
}

/// Whether a socket of IPv6 takes no connections of IPv4: see ipv6(7).
fn is_v6_only() -> bool {
    std::fs::read_to_string("/proc/sys/net/ipv6/bindv6only").is_ok_and(|value| value.trim() == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_cut_off_after_their_bits() {
        for (bits, network) in [(24, "10.77.1.0/24"), (23, "10.77.0.0/23"), (32, "10.77.1.9/32"), (0, "0.0.0.0/0")] {
            let own = OwnAddress { interface: "eth0".into(), ip: [10, 77, 1, 9].into(), bits };
            assert_eq!(own.network(), network);
        }
    }

    #[test]
    fn an_address_of_its_own_is_the_only_one() {
        let own = reached_at("127.0.0.1:5000".parse().unwrap()).unwrap();
        assert_eq!(own.iter().map(|own| own.ip.to_string()).collect::<Vec<_>>(), ["127.0.0.1"]);
        let any = reached_at("0.0.0.0:5000".parse().unwrap()).unwrap();
        assert!(any.iter().all(|own| own.ip.is_ipv4() && !own.ip.is_unspecified() && !own.ip.is_loopback()), "{any:?}");
    }
}
