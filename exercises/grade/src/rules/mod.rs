//! The usual mistakes, exercise by exercise, in the order in which they are looked for.
//!
//! What explains the most comes first: an answer that did nothing differs in every fact, and is not told that its
//! working directory is wrong.

mod apply_layer;
mod chain_ids;
mod confine;
mod drop_privileges;
mod enter;
mod enter_root;
mod escape;
mod filter;
mod make_layer;
mod mask;
mod naive_root;
mod namespaces_of;
mod reap;
mod settings;
mod spawn;
mod stack;

use catalog::Exercise;

use crate::diagnosis::Rule;
use crate::facts::Facts;

/// The rules for `exercise`.
pub(crate) fn of(exercise: &Exercise) -> &'static [Rule] {
    match exercise.name {
        "namespaces_of" => namespaces_of::RULES,
        "naive_root" => naive_root::RULES,
        "escape" => escape::RULES,
        "enter_root" => enter_root::RULES,
        "spawn" => spawn::RULES,
        "enter" => enter::RULES,
        "reap" => reap::RULES,
        "settings" => settings::RULES,
        "confine" => confine::RULES,
        "apply_layer" => apply_layer::RULES,
        "stack" => stack::RULES,
        "chain_ids" => chain_ids::RULES,
        "make_layer" => make_layer::RULES,
        "drop_privileges" => drop_privileges::RULES,
        "filter" => filter::RULES,
        "mask" => mask::RULES,
        _ => &[],
    }
}

/// Whether the answer returned ok.
fn ok(facts: &Facts) -> bool {
    facts.get("returned") == "ok"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn an_error_that_nobody_knows_is_not_explained_by_what_was_not_tried() {
        let facts = crate::Facts::from_snapshot("---\n---\nreturned: error: out of ideas\n");
        let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let returns = |exercise: &&catalog::Exercise| {
            super::ok(&crate::expected(exercise, &repository).expect("the exercise has facts.snap"))
        };
        for exercise in catalog::ALL.iter().filter(returns) {
            let fits: Vec<_> =
                super::of(exercise).iter().filter(|rule| (rule.when)(&facts)).map(|rule| rule.id).collect();
            assert_eq!(fits, [""; 0], "{}", exercise.number);
        }
    }

    #[test]
    fn each_mistake_has_one_rule_with_words_of_its_own() {
        for exercise in &catalog::ALL {
            let rules = super::of(exercise);
            let ids: BTreeSet<_> = rules.iter().map(|rule| rule.id).collect();
            let words: BTreeSet<_> = rules.iter().map(|rule| rule.words).collect();
            assert_eq!((ids.len(), words.len()), (rules.len(), rules.len()), "{}", exercise.number);
        }
    }
}
