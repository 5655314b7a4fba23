//! How much of the disk uploads may take.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One client has this part of the whole, so that it cannot stop the others.
pub const PART: u64 = 4;

/// How much they may take together, and how much they take.
#[derive(Debug)]
pub struct Quota {
    most: u64,
    taken: Mutex<HashMap<IpAddr, u64>>,
}

/// What one upload takes, until it is dropped.
#[derive(Debug)]
pub struct Space {
    quota: Arc<Quota>,
    client: IpAddr,
    size: u64,
}

impl Quota {
    /// `most` bytes for all of them together.
    pub fn new(most: u64) -> Arc<Quota> {
        Arc::new(Quota { most, taken: Mutex::default() })
    }

    /// Room for an upload of `client`, which takes nothing yet.
    pub fn space(self: &Arc<Quota>, client: IpAddr) -> Space {
        Space { quota: self.clone(), client, size: 0 }
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, u64>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Space {
    /// How many bytes it takes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes `more` bytes.
    pub fn grow(&mut self, more: u64) -> io::Result<()> {
        let mut taken = self.quota.taken();
        let (all, own): (u64, u64) = (taken.values().sum(), taken.get(&self.client).copied().unwrap_or(0));
        if all + more > self.quota.most || own + more > self.quota.most / PART {
            let problem = "too much was uploaded that no manifest has named yet";
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, problem));
        }
        *taken.entry(self.client).or_default() += more;
        self.size += more;
        Ok(())
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let mut taken = self.quota.taken();
        if let Some(own) = taken.get_mut(&self.client) {
            *own -= self.size;
            if *own == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_a_part_of_the_whole() {
        let quota = Quota::new(100);
        let mut spaces: Vec<Space> = (1..=4).map(|n| quota.space(IpAddr::from([10, 0, 0, n]))).collect();
        for space in &mut spaces {
            space.grow(20).unwrap();
            space.grow(5).unwrap();
            assert_eq!(space.grow(1).unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
            assert_eq!(space.size(), 25);
        }
        let mut late = quota.space(IpAddr::from([10, 0, 0, 5]));
        late.grow(1).unwrap_err();
        spaces.pop();
        late.grow(25).unwrap();
    }
}
