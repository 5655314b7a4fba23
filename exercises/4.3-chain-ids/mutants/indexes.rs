//! diagnosis: panicked
//!
//! Takes the first without asking whether there is one. Made by those who have never seen an empty image.

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain = vec![diff_ids[0]];
    for diff_id in &diff_ids[1..] {
        let below = chain[chain.len() - 1];
        chain.push(Digest::of(format!("{below} {diff_id}").as_bytes()));
    }
    chain
}
