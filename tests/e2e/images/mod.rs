//! The verbs that look at images and manage them.

mod grammar;
mod inspecting;
mod layers;
mod listing;
mod removing;
mod sample;

use serde_json::Value;

use crate::Test;
use crate::support::Tinbox;
use sample::{alpine, load, tools, web};

/// All of them.
pub fn tests() -> Vec<Test> {
    [grammar::TESTS, listing::TESTS, inspecting::TESTS, removing::TESTS, layers::TESTS].concat()
}

/// A Tinbox with three images that share layers.
fn with_samples() -> Tinbox {
    let tinbox = Tinbox::without_images();
    load(&tinbox, &[&alpine(), &web(), &tools()]);
    tinbox
}

/// A verb with a template among its arguments, which must go well.
fn formatted(tinbox: &Tinbox, verb: &str, template: &str, names: &[&str]) -> String {
    let arguments = verb.split_whitespace().chain(["--format", template]).chain(names.iter().copied());
    crate::support::Ended::of(tinbox.command(arguments).output().unwrap()).ok()
}

/// What `tinbox inspect` says about one thing.
fn inspected(tinbox: &Tinbox, arguments: &str) -> Value {
    let list: Value = serde_json::from_str(&tinbox.tinbox(&format!("inspect {arguments}")).ok()).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1);
    list[0].clone()
}

/// Holds `text` against the snapshot `name`.
fn pictured(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

/// Ids, which depend on how an archive is packed, as `ID-1`, `ID-2`, … in the order in which they come.
fn without_ids(text: &str) -> String {
    let mut known: Vec<String> = Vec::new();
    let mut out = String::new();
    let is_hex = |c: char| c.is_ascii_hexdigit() && !c.is_ascii_uppercase();
    let mut rest = text;
    while let Some(at) = rest.find(is_hex) {
        let (before, from) = rest.split_at(at);
        let (word, after) = from.split_at(from.find(|c| !is_hex(c)).unwrap_or(from.len()));
        out.push_str(before);
        if matches!(word.len(), 12 | 64) {
            let number = known.iter().position(|id| id[..12] == word[..12]).unwrap_or_else(|| {
                known.push(word.to_owned());
                known.len() - 1
            });
            // As wide as an id, so that columns stay.
            out.push_str(&format!("{:<12}", format!("ID-{}", number + 1)));
        } else {
            out.push_str(word);
        }
        rest = after;
    }
    out + rest
}
