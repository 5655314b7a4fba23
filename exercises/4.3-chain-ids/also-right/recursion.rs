//! Takes the definition at its word: the chain of the lower layers, then one more.

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let [lower @ .., top] = diff_ids else { return Vec::new() };
    let mut chain = chain_ids(lower);
    let id = chain.last().map_or(*top, |below| Digest::of(format!("{below} {top}").as_bytes()));
    chain.push(id);
    chain
}
