//! What a process has of networks: `/proc/PID/net` (proc_pid_net(5)).

use std::collections::BTreeSet;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The links and addresses of a network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Names of links, sorted.
    pub links: Vec<String>,
    /// Addresses of the namespace itself, IPv4 and IPv6, sorted.
    pub addresses: Vec<String>,
}

/// Reads links and addresses in the network namespace of `pid`.
pub fn network_of(pid: Pid) -> Result<Network> {
    let mut addresses = local_ipv4(&read(pid, "fib_trie").unwrap_or_default());
    addresses.extend(ipv6(&read(pid, "if_inet6").unwrap_or_default()));
    Ok(Network { links: links(&read(pid, "dev")?), addresses: addresses.into_iter().collect() })
}

fn read(pid: Pid, file: &str) -> Result<String> {
    let path = format!("/proc/{pid}/net/{file}");
    std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, &e))
}

/// `net/dev`: two lines of heading, then `  eth0: 1 2 3 …`.
fn links(dev: &str) -> Vec<String> {
    let mut names: Vec<String> =
        dev.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect();
    names.sort();
    names
}

/// `net/fib_trie`: a leaf `|-- 127.0.0.1`, then below it `/32 host LOCAL`.
fn local_ipv4(trie: &str) -> BTreeSet<String> {
    let mut leaf = "";
    let mut found = BTreeSet::new();
    for line in trie.lines().map(str::trim) {
        match line.strip_prefix("|-- ") {
            Some(address) => leaf = address,
            None if line == "/32 host LOCAL" => drop(found.insert(leaf.to_owned())),
            None => {}
        }
    }
    found
}

/// `net/if_inet6`: 32 hexadecimal digits, then numbers and the link's name.
fn ipv6(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| u128::from_str_radix(line.split_whitespace().next()?, 16).ok())
        .map(|bits| std::net::Ipv6Addr::from(bits).to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families() {
        let trie = "Local:\n  +-- 0.0.0.0/0 2 0 2\n     |-- 127.0.0.0\n        /8 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\n";
        assert_eq!(local_ipv4(trie), BTreeSet::from(["127.0.0.1".to_owned()]));
        let loopback = "00000000000000000000000000000001 01 80 10 80       lo\n";
        assert_eq!(ipv6(loopback), BTreeSet::from(["::1".to_owned()]));
    }

    #[test]
    fn links_without_their_headings() {
        assert_eq!(links("Inter-|\n face |\n    lo: 1 2\n  eth0: 3 4\n"), ["eth0", "lo"]);
    }
}
