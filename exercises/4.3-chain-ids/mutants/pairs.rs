//! diagnosis: not-cumulative
//!
//! Hashes each with its neighbour below. Made by those who try it with two layers.

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = diff_ids.first().copied().into_iter().collect();
    for pair in diff_ids.windows(2) {
        chain.push(Digest::of(format!("{} {}", pair[0], pair[1]).as_bytes()));
    }
    chain
}
