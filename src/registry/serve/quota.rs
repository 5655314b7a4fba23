//! How much of the disk uploads may take.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One client has this part of the whole. Who has more has to leave as much for whoever comes.
pub const PART: u64 = 4;

/// What stands in the way of more.
#[derive(Debug, PartialEq, Eq)]
pub enum Limit {
    /// What one client may have.
    OfOne,
    /// What all of them may have together.
    OfAll,
}

/// How many bytes all may take together, when they take so many.
type Most = dyn Fn(u64) -> u64 + Send + Sync;

/// How much they may take together, and how much they take.
pub struct Quota {
    most: Box<Most>,
    taken: Mutex<HashMap<IpAddr, u64>>,
}

/// What one upload takes, until it is dropped.
pub struct Space {
    quota: Arc<Quota>,
    client: IpAddr,
    size: u64,
}

impl Quota {
    /// What `most` says for all of them together: it is asked whenever somebody wants more.
    pub fn new(most: impl Fn(u64) -> u64 + Send + Sync + 'static) -> Arc<Quota> {
        Arc::new(Quota { most: Box::new(most), taken: Mutex::default() })
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

    /// Whose it is.
    pub fn client(&self) -> IpAddr {
        self.client
    }

    /// Takes `more` bytes; or says which limit is in the way.
    pub fn grow(&mut self, more: u64) -> Result<(), Limit> {
        if more == 0 {
            return Ok(());
        }
        let mut taken = self.quota.taken();
        let (all, own): (u64, u64) = (taken.values().sum(), taken.get(&self.client).copied().unwrap_or(0));
        let most = (self.quota.most)(all);
        let part = most / PART;
        if own + more > part && all + more > most - part {
            return Err(Limit::OfOne);
        }
        if all + more > most {
            return Err(Limit::OfAll);
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

    fn client(n: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, n])
    }

    #[test]
    fn who_is_alone_leaves_a_part_for_others() {
        let quota = Quota::new(|_| 100);
        let mut alone = quota.space(client(1));
        alone.grow(75).unwrap();
        assert_eq!(alone.grow(1), Err(Limit::OfOne));
        let mut other = quota.space(client(2));
        other.grow(25).unwrap();
        assert_eq!(other.grow(1), Err(Limit::OfOne));
        drop(alone);
        other.grow(50).unwrap();
        assert_eq!(other.size(), 75);
    }

    #[test]
    fn each_client_has_a_part_of_the_whole() {
        let quota = Quota::new(|_| 100);
        let mut spaces: Vec<Space> = (1..=4).map(|n| quota.space(client(n))).collect();
        for space in &mut spaces {
            space.grow(20).unwrap();
            space.grow(5).unwrap();
        }
        assert_eq!(spaces[0].grow(1), Err(Limit::OfOne));
        let mut late = quota.space(client(5));
        assert_eq!(late.grow(1), Err(Limit::OfAll));
        spaces.pop();
        late.grow(25).unwrap();
    }

    #[test]
    fn space_that_becomes_free_is_used() {
        use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
        let free = Arc::new(AtomicU64::new(0));
        let disk = free.clone();
        let mut space = Quota::new(move |_| disk.load(Relaxed)).space(client(1));
        assert!(space.grow(10).is_err());
        free.store(100, Relaxed);
        space.grow(10).unwrap();
    }
}
