//! How many connections come from each address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All addresses from which there are connections.
#[derive(Debug, Default)]
pub struct Peers {
    connections: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection of one of them, until it is dropped.
#[derive(Debug)]
pub struct Peer {
    peers: Arc<Peers>,
    address: IpAddr,
}

impl Peers {
    /// Counts one more connection from there; `None` if there are `most` already.
    pub fn connect(self: &Arc<Peers>, from: SocketAddr, most: usize) -> Option<Peer> {
        // An IPv4 address is the same one behind a socket of both families.
        let address = from.ip().to_canonical();
        let mut connections = self.connections();
        let count = connections.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Peer { peers: self.clone(), address })
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer {
    /// Where it is.
    pub fn address(&self) -> IpAddr {
        self.address
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let mut connections = self.peers.connections();
        if let Some(count) = connections.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                connections.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_by_address() {
        let peers = Arc::new(Peers::default());
        let connect = |from: &str| peers.connect(from.parse().unwrap(), 2);
        let first = connect("10.0.0.1:1").unwrap();
        let _second = connect("[::ffff:10.0.0.1]:2").unwrap();
        assert!(connect("10.0.0.1:3").is_none());
        assert!(connect("10.0.0.2:3").is_some());
        drop(first);
        assert!(connect("10.0.0.1:3").is_some());
        assert_eq!(peers.connections().len(), 1);
    }
}
