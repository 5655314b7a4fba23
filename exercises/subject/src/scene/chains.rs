//! 4.3: an answer that computes chain ids.

use images::Digest;

use super::Stage;
use crate::protocol::{Call, Said};
use crate::try_it::try_it;

/// What is asked about: lists of diff ids, bottom first.
pub fn asked() -> Vec<(&'static str, Vec<Digest>)> {
    let [a, b, c] = [b"a", b"b", b"c"].map(|layer| Digest::of(layer));
    vec![
        ("no layer", vec![]),
        ("a", vec![a]),
        ("b on a", vec![a, b]),
        ("a on b", vec![b, a]),
        ("c on b on a", vec![a, b, c]),
        ("a on a on a", vec![a, a, a]),
    ]
}

/// Chain ids as they are compared and shown: the first digits of each.
pub fn shown(chain_ids: &[Digest]) -> String {
    let ids: Vec<String> = chain_ids.iter().map(Digest::short).collect();
    if ids.is_empty() { "nothing".into() } else { ids.join(" ") }
}

pub(super) fn play(stage: &Stage<'_>, chain_ids: fn(&[Digest]) -> Vec<Digest>) {
    let all = || asked().iter().map(|(_, diff_ids)| shown(&chain_ids(diff_ids))).collect();
    stage.report(Call::TheFunction, try_it(|| Ok(Said::Lines(all()))));
}
