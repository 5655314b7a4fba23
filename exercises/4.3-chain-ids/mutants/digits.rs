//! diagnosis: without-the-algorithm
//!
//! Hashes the digits. Made by those who take the prefix for decoration.

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::new();
    for diff_id in diff_ids {
        let id = match chain.last() {
            None => *diff_id,
            Some(below) => Digest::of(format!("{} {}", below.hex(), diff_id.hex()).as_bytes()),
        };
        chain.push(id);
    }
    chain
}
