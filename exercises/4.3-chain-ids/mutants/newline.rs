//! diagnosis: newline
//!
//! Ends the text as lines end. Made by those who have tried it in a shell, with echo.

use std::io::Write;

use images::{Digest, Hasher};

pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::new();
    for diff_id in diff_ids {
        let id = match chain.last() {
            None => *diff_id,
            Some(below) => {
                let mut hasher = Hasher::new();
                let _ = writeln!(hasher, "{below} {diff_id}");
                hasher.finish()
            }
        };
        chain.push(id);
    }
    chain
}
