//! Carries the chain along in an iterator, and hashes in pieces.

use std::io::Write;

use images::{Digest, Hasher};

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let next = |below: &mut Option<Digest>, diff_id: &Digest| {
        let id = below.map_or(*diff_id, |below| {
            let mut hasher = Hasher::new();
            let _ = write!(hasher, "{below} ");
            let _ = write!(hasher, "{diff_id}");
            hasher.finish()
        });
        *below = Some(id);
        *below
    };
    diff_ids.iter().scan(None, next).collect()
}
