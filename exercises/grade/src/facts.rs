//! Facts: what was seen, in words that are the same on every machine.

use std::fmt;

use serde::Serialize;

/// Facts in the order in which they are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(Vec<(String, String)>);

/// A fact beside what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What was looked at.
    pub what: String,
    /// What the reference shows.
    pub expected: String,
    /// What the answer shows.
    pub found: String,
}

/// What is found where nothing was looked at any more.
const NOT_TRIED: &str = "not tried";

impl Row {
    /// Whether it was looked at. What comes after an error of the answer often is not.
    pub fn tried(&self) -> bool {
        self.found != NOT_TRIED
    }

    /// Whether the answer shows what the reference shows.
    pub fn agrees(&self) -> bool {
        self.expected == self.found
    }
}

impl Facts {
    /// Adds a fact.
    pub(crate) fn say(&mut self, what: &str, value: impl Into<String>) {
        self.0.push((what.to_owned(), value.into()));
    }

    /// Adds what `more` says.
    pub(crate) fn append(&mut self, mut more: Facts) {
        self.0.append(&mut more.0);
    }

    /// The value of a fact, empty if there is none.
    pub(crate) fn get(&self, what: &str) -> &str {
        self.find(what).unwrap_or_default()
    }

    fn find(&self, what: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == what).map(|(_, value)| value.as_str())
    }

    /// Each expected fact beside the one that was found.
    pub(crate) fn beside(&self, expected: &Facts) -> Vec<Row> {
        let row = |(what, expected): &(String, String)| Row {
            what: what.clone(),
            expected: expected.clone(),
            found: self.find(what).unwrap_or(NOT_TRIED).to_owned(),
        };
        expected.0.iter().map(row).collect()
    }

    /// Reads the facts in a snapshot of insta: what follows its header.
    pub(crate) fn from_snapshot(text: &str) -> Facts {
        let body = text.splitn(3, "---\n").nth(2).unwrap_or(text);
        let fact = |line: &str| line.split_once(": ").map(|(what, value)| (what.to_owned(), value.to_owned()));
        Facts(body.lines().filter_map(fact).collect())
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, value)| writeln!(f, "{what}: {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_holds_what_was_displayed() {
        let mut facts = Facts::default();
        facts.say("root", "the new root");
        facts.say("returned", "error: pivot_root EINVAL");
        let snapshot = format!("---\nsource: somewhere\nexpression: facts\n---\n{facts}");
        assert_eq!(Facts::from_snapshot(&snapshot), facts);
        assert_eq!(facts.get("returned"), "error: pivot_root EINVAL");
    }

    #[test]
    fn what_is_missing_does_not_agree() {
        let expected = Facts::from_snapshot("---\na: b\n---\nroot: the new root\n");
        let rows = Facts::default().beside(&expected);
        assert!(!rows[0].agrees() && !rows[0].tried());
    }
}
