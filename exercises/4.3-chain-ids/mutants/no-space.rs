//! diagnosis: no-space
//!
//! Puts the two digests together. Made by those who concatenate.

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::new();
    for diff_id in diff_ids {
        let id = match chain.last() {
            None => *diff_id,
            Some(below) => Digest::of((below.to_string() + &diff_id.to_string()).as_bytes()),
        };
        chain.push(id);
    }
    chain
}
