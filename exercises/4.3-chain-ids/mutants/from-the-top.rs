//! diagnosis: upside-down
//!
//! Begins at the end of the list. Made by those who have just read `docker history`.

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::new();
    for diff_id in diff_ids.iter().rev() {
        let id = match chain.last() {
            None => *diff_id,
            Some(above) => Digest::of(format!("{above} {diff_id}").as_bytes()),
        };
        chain.push(id);
    }
    chain.reverse();
    chain
}
