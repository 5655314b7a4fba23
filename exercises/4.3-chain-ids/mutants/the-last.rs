//! diagnosis: only-the-last
//!
//! Folds them into one. Made by those who read "the chain id of an image".

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut ids = diff_ids.iter().copied();
    let Some(first) = ids.next() else { return Vec::new() };
    vec![ids.fold(first, |below, id| Digest::of(format!("{below} {id}").as_bytes()))]
}
