//! What `--listen` means, and why it may not work.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::anyhow;

use super::own_addresses::own_addresses;

/// Where registries listen.
const PORT: u16 = 5000;

/// `ADDRESS:PORT`, `ADDRESS`, `:PORT` or `PORT`; the address may be `localhost`. Without one it is all of this machine's.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err("an IPv6 address goes in brackets, such as [fd00::1]:5000".to_owned());
    }
    let any = || {
        let port = text.strip_prefix(':').unwrap_or(text).parse().ok()?;
        Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
    };
    let localhost = || {
        let port = match text.strip_prefix("localhost")? {
            "" => PORT,
            rest => rest.strip_prefix(':')?.parse().ok()?,
        };
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    };
    let alone = || {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        Some(SocketAddr::from((bare.parse::<IpAddr>().ok()?, PORT)))
    };
    let known = text.parse().ok().or_else(any).or_else(localhost).or_else(alone);
    known.ok_or_else(|| "it should be ADDRESS:PORT, such as 0.0.0.0:5000, or only a port".to_owned())
}

/// Adds to the error of listening on `address` what to do about it.
pub fn explained(error: anyhow::Error, address: SocketAddr) -> anyhow::Error {
    let (ip, port) = (address.ip(), address.port());
    let other = |port: u16| SocketAddr::new(ip, port);
    let help = match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::AddrInUse) => format!(
            "another program listens there: take another port, such as --listen {}",
            other(port.checked_add(1).unwrap_or(PORT))
        ),
        Some(io::ErrorKind::AddrNotAvailable) => format!("this machine has no such address: it has {}", own()),
        Some(io::ErrorKind::PermissionDenied) if port < 1024 => {
            format!("ports below 1024 are root's: take another, such as --listen {}", other(PORT))
        }
        _ => return error,
    };
    anyhow!("{error:#}\n  help: {help}")
}

/// The addresses of this machine, in words.
fn own() -> String {
    let others = own_addresses().unwrap_or_default();
    let others = others.iter().map(|own| format!("{} ({})", own.ip, own.interface));
    others.chain(["127.0.0.1".to_owned()]).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, meant) in [
            ("10.0.0.1:80", "10.0.0.1:80"),
            ("10.0.0.1", "10.0.0.1:5000"),
            (":80", "0.0.0.0:80"),
            ("80", "0.0.0.0:80"),
            ("localhost", "127.0.0.1:5000"),
            ("localhost:80", "127.0.0.1:80"),
            ("[fd77::10]:80", "[fd77::10]:80"),
            ("[fd77::10]", "[fd77::10]:5000"),
        ] {
            assert_eq!(address(text), Ok(meant.parse().unwrap()), "{text}");
        }
        for text in ["fd77::10:5000", "::", "::1"] {
            assert!(address(text).unwrap_err().contains("brackets"), "{text}");
        }
        for text in ["", ":", "localhost:", "localhostile", "70000", "10.0.0.1:70000", "example.org:80", "[10.0.0.1"] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
