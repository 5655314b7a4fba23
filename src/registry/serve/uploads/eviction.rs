//! What has to go when there is no room: leftovers of pushes that were broken off.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::super::quota::Limit;
use super::{Complete, MOST, MOST_OF_ONE, Open, State};

/// A complete blob that was not touched for so long is perhaps a leftover, and so is what another client began.
const LEFT: Duration = Duration::from_secs(60);

impl State {
    /// Sees to it that `client` may have one more: another has to go, if need be. `false` if none can.
    pub(super) fn make_room(&mut self, client: IpAddr) -> bool {
        let clients = || {
            let open = self.open.values().map(|open| open.client);
            open.chain(self.complete.values().map(|complete| complete.client))
        };
        if clients().filter(|other| *other == client).count() >= MOST_OF_ONE {
            return self.evict(client, &Limit::OfOne, 0);
        }
        clients().count() < MOST || self.evict(client, &Limit::OfAll, 0)
    }

    /// Gives up one that takes `least` bytes or more, because `client` has come to this limit. `false` if none can go.
    ///
    /// The client's own go first, then leftovers of others, if that helps; of these the oldest: first an upload that
    /// nobody is sending to, then a complete blob.
    pub(super) fn evict(&mut self, client: IpAddr, limit: &Limit, least: u64) -> bool {
        self.evict_open(least, |open| open.client == client)
            || self.evict_complete(least, |complete| complete.client == client)
            || *limit == Limit::OfAll
                && (self.evict_open(least, |open| open.size() == Some(0) || is_left(open.touched))
                    || self.evict_complete(least, |_| true))
    }

    fn evict_open(&mut self, least: u64, is_meant: impl Fn(&Open) -> bool) -> bool {
        let can_go = |open: &Open| open.size().is_some_and(|size| size >= least) && is_meant(open);
        let idle = self.open.iter().filter(|(_, open)| can_go(open));
        let oldest = idle.min_by_key(|(_, open)| open.touched).map(|(id, _)| id.clone());
        oldest.is_some_and(|id| self.open.remove(&id).is_some())
    }

    fn evict_complete(&mut self, least: u64, is_meant: impl Fn(&Complete) -> bool) -> bool {
        let size = |complete: &Complete| complete.space.as_ref().map_or(0, |space| space.size());
        let can_go = |complete: &Complete| size(complete) >= least && is_left(complete.touched) && is_meant(complete);
        let left = self.complete.iter().filter(|(_, complete)| can_go(complete));
        let oldest = left.min_by_key(|(_, complete)| complete.touched).map(|(digest, _)| *digest);
        oldest.is_some_and(|digest| self.complete.remove(&digest).is_some())
    }
}

impl Open {
    /// How much has come. `None` while somebody is sending more of it.
    fn size(&self) -> Option<u64> {
        self.upload.as_ref().map(|upload| upload.space.size())
    }
}

fn is_left(touched: Instant) -> bool {
    touched.elapsed() >= LEFT
}

#[cfg(test)]
mod tests {
    use images::{Digest, Store};

    use super::super::super::quota::Quota;
    use super::super::Uploads;
    use super::*;

    const FIRST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    /// Uploads that may take 100 bytes together.
    fn with_uploads(test: impl FnOnce(&Uploads)) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path());
        let mut uploads = Uploads::in_dir(store.write().unwrap().scratch().unwrap()).unwrap();
        uploads.quota = Quota::new(|_| 100);
        test(&uploads);
    }

    fn begin(uploads: &Uploads, client: IpAddr) -> String {
        uploads.begin("app", client).unwrap().unwrap()
    }

    /// Sends these bytes. `false` if there is no room.
    fn send(uploads: &Uploads, id: &str, bytes: &[u8]) -> bool {
        let mut taken = uploads.take("app", id).unwrap();
        let has_room = taken.reserve(bytes.len() as u64);
        if has_room {
            let mut upload = taken.take_out().unwrap();
            upload.add(bytes).unwrap();
            taken.give_back(upload);
        }
        has_room
    }

    /// Uploads a whole blob.
    fn complete(uploads: &Uploads, client: IpAddr, bytes: &[u8]) -> Digest {
        let id = begin(uploads, client);
        assert!(send(uploads, &id, bytes));
        uploads.complete(uploads.take("app", &id).unwrap().take_out().unwrap(), client);
        Digest::of(bytes)
    }

    /// As if all complete blobs had come two minutes earlier.
    fn let_time_pass(uploads: &Uploads) {
        for complete in uploads.state().complete.values_mut() {
            complete.touched = complete.touched.checked_sub(2 * LEFT).unwrap();
        }
    }

    #[test]
    fn idle_uploads_make_room_for_others() {
        with_uploads(|uploads| {
            let first = begin(uploads, FIRST);
            assert!(send(uploads, &first, b"x"));
            for _ in 0..MOST {
                begin(uploads, FIRST);
            }
            assert_eq!(uploads.state().open.len(), MOST_OF_ONE);
            assert!(uploads.take("app", &first).is_none(), "the oldest one is gone");
        });
    }

    #[test]
    fn one_client_cannot_begin_all_uploads() {
        with_uploads(|uploads| {
            let ids: Vec<_> = (0..MOST_OF_ONE).map(|_| begin(uploads, FIRST)).collect();
            // What somebody is sending counts, and is not given up.
            let taken: Vec<_> = ids.iter().map(|id| uploads.take("app", id).unwrap()).collect();
            assert!(uploads.begin("app", FIRST).unwrap().is_none());
            begin(uploads, OTHER);
            assert_eq!(uploads.state().open.len(), MOST_OF_ONE + 1);
            drop(taken);
            begin(uploads, FIRST);
        });
    }

    #[test]
    fn complete_blobs_that_were_left_make_room() {
        with_uploads(|uploads| {
            let file = std::sync::Arc::new(tempfile::tempfile().unwrap());
            let digests: Vec<_> = (0..MOST_OF_ONE).map(|n| Digest::of(&n.to_le_bytes())).collect();
            digests.iter().for_each(|digest| assert!(uploads.lend(*digest, file.clone(), 1, FIRST)));
            assert!(uploads.begin("app", FIRST).unwrap().is_none(), "their manifest may be about to come");
            let_time_pass(uploads);
            // This one is asked for again.
            uploads.blob(&digests[0]).unwrap();
            assert!(uploads.lend(Digest::of(b"new"), file.clone(), 1, FIRST));
            begin(uploads, FIRST);
            assert!(uploads.blob(&digests[0]).is_some());
            assert_eq!(uploads.state().complete.len(), MOST_OF_ONE - 1);
        });
    }

    #[test]
    fn bytes_of_broken_uploads_make_room() {
        with_uploads(|uploads| {
            let empty = begin(uploads, FIRST);
            let broken = begin(uploads, FIRST);
            assert!(send(uploads, &broken, &[0; 70]));
            let next = begin(uploads, FIRST);
            assert!(send(uploads, &next, &[1; 70]));
            assert!(uploads.take("app", &broken).is_none());
            assert!(uploads.take("app", &empty).is_some(), "it would not have helped");
            assert!(!send(uploads, &next, &[1; 70]), "it does not make room for itself");
        });
    }

    #[test]
    fn only_leftovers_of_others_make_room() {
        with_uploads(|uploads| {
            let first = complete(uploads, FIRST, &[1; 60]);
            let second = complete(uploads, OTHER, &[2; 25]);
            let late = begin(uploads, IpAddr::from([10, 0, 0, 3]));
            assert!(!send(uploads, &late, &[3; 20]));
            let_time_pass(uploads);
            uploads.blob(&second).unwrap();
            assert!(send(uploads, &late, &[3; 20]));
            assert!(uploads.blob(&first).is_none() && uploads.blob(&second).is_some());
        });
    }
}
