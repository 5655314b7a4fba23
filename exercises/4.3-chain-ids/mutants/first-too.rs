//! diagnosis: bottom-is-hashed
//!
//! Treats the first like the others. Made by those who dislike exceptions.

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut below = String::new();
    let mut chain = Vec::new();
    for diff_id in diff_ids {
        let id = Digest::of(format!("{below} {diff_id}").trim().as_bytes());
        below = id.to_string();
        chain.push(id);
    }
    chain
}
