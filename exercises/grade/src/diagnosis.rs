//! The mistake behind a difference, in words.

use std::time::Duration;

use catalog::Exercise;
use serde::Serialize;
use subject::protocol::End;

use crate::facts::Facts;
use crate::rules;

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// A word for it, the same for each answer with this mistake.
    pub id: &'static str,
    /// What is wrong, in a line.
    pub title: String,
    /// Which mistake usually causes it, and what to think about.
    pub words: String,
    /// Where to read on.
    pub read: &'static str,
}

/// A mistake, and the facts by which it is known.
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) when: fn(&Facts) -> bool,
    pub(crate) title: &'static str,
    pub(crate) words: &'static str,
    pub(crate) read: &'static str,
}

/// The diagnosis of an answer with these facts: that of the first rule that fits. `None` if all is as expected.
pub(crate) fn of(exercise: &Exercise, facts: &Facts, expected: &Facts) -> Option<Diagnosis> {
    if facts == expected {
        return None;
    }
    let known = rules::of(exercise).iter().find(|rule| (rule.when)(facts));
    Some(known.map_or_else(|| unknown(facts), Diagnosis::from))
}

impl From<&Rule> for Diagnosis {
    fn from(rule: &Rule) -> Self {
        Diagnosis { id: rule.id, title: rule.title.into(), words: rule.words.into(), read: rule.read }
    }
}

/// For what no rule knows.
fn unknown(facts: &Facts) -> Diagnosis {
    let returned = facts.get("returned");
    if returned.starts_with("error") {
        return simple(
            "returned-error",
            "it returned an error",
            "The error above is what your function returned, and the facts show how far it had come by then. Read it \
             from the left: the call, what it was to act on, and the kernel's answer. The man page of the call lists \
             under ERRORS what that answer can mean.",
        );
    }
    simple(
        "unexpected",
        "the kernel sees something else than expected",
        "No common mistake looks quite like this, so take the first line marked ✘: which call of yours decides it, \
         and what did it do instead?",
    )
}

/// The answer is still the starter.
pub(crate) fn not_done() -> Diagnosis {
    simple(
        "not-done-yet",
        "not done yet",
        "Your function reached `todo!(…)`: nothing of it was checked. Replace that line with your own code.",
    )
}

/// The answer panicked.
pub(crate) fn panicked(message: &str, line: u32) -> Diagnosis {
    simple(
        "panicked",
        &format!("it panicked in line {line}: {message}"),
        "A runtime that panics halfway leaves a container half made, so whatever it meets, your function must come back. \
         Look in that line for an `unwrap`, an `expect`, an index, or arithmetic that does not fit its type. What has \
         failed is handed on with `?` where there is a `Result` to return. What is only the end of something (nobody \
         left, nothing in the list) is no failure, and has an answer of its own.",
    )
}

/// The answer's process ended instead of returning.
pub(crate) fn ended(end: &End) -> Diagnosis {
    let (id, title) = match end {
        End::Exited(status) => ("exited", format!("its process exited with status {status}")),
        End::Killed(signal) => ("killed", format!("its process was killed by {signal}")),
    };
    simple(
        id,
        &title,
        "Your function did not return, so there was nobody left to look at. It must come back with `Ok(())` or an \
         error: whoever called it still has a program to start. (A stack overflow ends as SIGABRT or SIGSEGV.)",
    )
}

/// The answer did not come back.
pub(crate) fn hung(patience: Duration) -> Diagnosis {
    simple(
        "hung",
        &format!("nothing came back within {} seconds", patience.as_secs()),
        "Your function was still running, or waiting, and was ended. Look at your loops: what makes each of them stop? \
         And does anything wait for input, or for another process?",
    )
}

/// The answer is right, but its check left traces on the machine.
pub(crate) fn left_behind(what: &[String]) -> Diagnosis {
    simple(
        "left-behind",
        &format!("left behind: {}", what.join(", ")),
        "The facts are right, but something of this check is still on your machine. A container that has ended must \
         leave nothing.",
    )
}

fn simple(id: &'static str, title: &str, words: &str) -> Diagnosis {
    Diagnosis { id, title: title.into(), words: words.into(), read: "" }
}
