//! diagnosis: swapped
//!
//! Puts the layer before what is below it. Made by those to whom a name begins with what is new.

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::new();
    for diff_id in diff_ids {
        let id = match chain.last() {
            None => *diff_id,
            Some(below) => Digest::of(format!("{diff_id} {below}").as_bytes()),
        };
        chain.push(id);
    }
    chain
}
