//! diagnosis: nothing-is-chained
//!
//! Hands them back. Made by those to whom one digest of a layer is as good as another.

use images::Digest;

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    diff_ids.to_vec()
}
