//! diagnosis: something-from-nothing
//!
//! Has a name for no layers at all. Made by those who begin with a default.

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    if diff_ids.is_empty() {
        return vec![Digest::of(b"")];
    }
    let mut chain: Vec<Digest> = Vec::new();
    for diff_id in diff_ids {
        let id = match chain.last() {
            None => *diff_id,
            Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
        };
        chain.push(id);
    }
    chain
}
