//! Who takes which image: one line for each, instead of one for each request.
//!
//! A client asks for a manifest, and then for those of the blobs that it does not have. When it asks for nothing more,
//! and all that it asked for was sent, it has the image.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use images::Digest;

/// Whoever has asked for nothing for so long has all.
const IDLE: Duration = Duration::from_secs(3);

/// A client, and a repository.
type Key = (IpAddr, String);

/// All that go on.
#[derive(Debug, Default)]
pub struct Pulls {
    state: Mutex<HashMap<Key, Pull>>,
}

/// One of them.
#[derive(Debug)]
struct Pull {
    manifest: Digest,
    image: String,
    /// How much of blobs was sent.
    bytes: u64,
    /// How many blobs are being sent.
    running: usize,
    /// Blobs that were not sent to their end.
    broken: HashSet<Digest>,
    touched: Instant,
}

/// A blob that is being sent for one of them, until it is dropped.
#[derive(Debug)]
pub struct Delivery {
    pulls: Arc<Pulls>,
    key: Key,
    blob: Digest,
    bytes: u64,
    is_whole: bool,
}

/// A pull that went well.
#[derive(Debug, PartialEq, Eq)]
pub struct PullDone {
    /// Who pulled.
    pub client: IpAddr,
    /// The image, as it was asked for: `base:latest`.
    pub image: String,
    /// How many bytes of its config and its layers were sent.
    pub bytes: u64,
}

impl Pulls {
    /// `client` was told the manifest of `reference` in a repository.
    pub fn asked(&self, client: IpAddr, repository: &str, reference: &str, manifest: Digest) {
        let mut state = self.state();
        let key = (client, repository.to_owned());
        let is_tag = !reference.contains(':');
        let image = if is_tag { format!("{repository}:{reference}") } else { format!("{repository}@{reference}") };
        let new = || {
            let (broken, touched) = (HashSet::new(), Instant::now());
            Pull { manifest, image: image.clone(), bytes: 0, running: 0, broken, touched }
        };
        let pull = state.entry(key).or_insert_with(new);
        pull.touched = Instant::now();
        // Docker asks by the tag which digest it is, and then for that.
        if pull.manifest != manifest || is_tag {
            (pull.manifest, pull.image) = (manifest, image);
        }
    }

    /// A blob that is sent to `client`, who has asked for an image of this repository before.
    pub fn deliver(self: &Arc<Pulls>, client: IpAddr, repository: &str, blob: Digest) -> Option<Delivery> {
        let key = (client, repository.to_owned());
        self.state().get_mut(&key)?.running += 1;
        Some(Delivery { pulls: self.clone(), key, blob, bytes: 0, is_whole: false })
    }

    /// Those that have ended. They are answered once.
    pub fn done(&self) -> Vec<PullDone> {
        self.idle_for(IDLE)
    }

    fn idle_for(&self, idle: Duration) -> Vec<PullDone> {
        let ended = |_: &Key, pull: &mut Pull| pull.running == 0 && pull.touched.elapsed() >= idle;
        let mut state = self.state();
        let ended = state.extract_if(ended).filter(|(_, pull)| pull.bytes > 0 && pull.broken.is_empty());
        ended.map(|((client, _), Pull { image, bytes, .. })| PullDone { client, image, bytes }).collect()
    }

    fn state(&self) -> MutexGuard<'_, HashMap<Key, Pull>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Delivery {
    /// So many more bytes were sent; `is_whole` says whether they were the last.
    pub fn sent(&mut self, bytes: usize, is_whole: bool) {
        self.bytes += bytes as u64;
        self.is_whole = is_whole;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let mut state = self.pulls.state();
        let Some(pull) = state.get_mut(&self.key) else { return };
        pull.running -= 1;
        pull.bytes += self.bytes;
        pull.touched = Instant::now();
        match self.is_whole {
            true => drop(pull.broken.remove(&self.blob)),
            false => drop(pull.broken.insert(self.blob)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn a_pull_is_told_when_all_of_it_was_sent() {
        let pulls = Arc::new(Pulls::default());
        let [manifest, config, layer] = [b"manifest", b"config  ", b"layer   "].map(|bytes| Digest::of(bytes));
        assert!(pulls.deliver(CLIENT, "app", layer).is_none(), "nobody asked for the manifest");
        pulls.asked(CLIENT, "app", "1", manifest);
        pulls.asked(CLIENT, "app", &manifest.to_string(), manifest);
        pulls.deliver(CLIENT, "app", config).unwrap().sent(10, true);
        let mut delivery = pulls.deliver(CLIENT, "app", layer).unwrap();
        assert_eq!(pulls.idle_for(Duration::ZERO), []);
        delivery.sent(5, false);
        drop(delivery);
        // The rest.
        pulls.deliver(CLIENT, "app", layer).unwrap().sent(6, true);
        let done = PullDone { client: CLIENT, image: "app:1".into(), bytes: 21 };
        assert_eq!(pulls.idle_for(Duration::ZERO), [done]);
        assert_eq!(pulls.idle_for(Duration::ZERO), []);
    }

    #[test]
    fn what_was_cut_off_is_no_pull() {
        let pulls = Arc::new(Pulls::default());
        let [manifest, layer] = [b"manifest", b"layer   "].map(|bytes| Digest::of(bytes));
        pulls.asked(CLIENT, "app", "1", manifest);
        pulls.deliver(CLIENT, "app", layer).unwrap().sent(5, false);
        pulls.asked(CLIENT, "base", "1", manifest);
        assert_eq!(pulls.idle_for(Duration::ZERO), []);
        assert!(pulls.state().is_empty());
    }
}
