//! # The grader: what the kernel says about an answer
//!
//! A check runs an answer in a stand-in for the machine (package `subject`), looks at its process from outside
//! while it holds still, and writes down what it sees as [`Facts`]: short lines that are the same on every
//! machine, such as `root: the new root`. The facts that the reference shows are a snapshot beside each exercise,
//! `facts.snap`. An answer passes when its facts are the same.
//!
//! When they are not, the mistake behind the difference is usually one of a few. [`diagnosis`] knows them in order,
//! and package `mutants` proves that each gets its own. Last, [`audit`] looks for what the check left behind.
//!
//! What an answer prints is shown to its author and never believed.

pub mod audit;
mod confining;
pub mod diagnosis;
mod facts;
mod layers;
mod looking;
mod mounts;
mod places;
mod processes;
mod reaping;
mod roots;
mod rules;
mod session;
mod shares;
mod spawning;

use std::path::Path;

use catalog::Exercise;

pub use diagnosis::Diagnosis;
pub use facts::{Facts, Row};
use session::Finished;
pub use session::Session;
use subject::protocol::Outcome;

/// What came of a check.
#[derive(Debug)]
pub struct Checked {
    /// Pass, fail or blocked.
    pub verdict: Verdict,
    /// What was seen, beside what was expected. Empty when there was nothing to look at.
    pub rows: Vec<Row>,
    /// The error that the answer returned, in full.
    pub error: Option<String>,
    /// What the answer printed.
    pub printed: String,
    /// What is still there of the check: nothing, if all is well.
    pub left_behind: Vec<String>,
}

/// The three outcomes of a check.
#[derive(Debug)]
pub enum Verdict {
    /// The kernel says of the answer what it says of the reference.
    Pass,
    /// It does not, and this is why.
    Fail(Diagnosis),
    /// This machine cannot run the check: what the kernel answered.
    Blocked(String),
}

/// Why there are no facts about an answer.
#[derive(Debug)]
enum Stop {
    /// The check itself failed.
    Broken(std::io::Error),
    /// The machine refused something.
    Blocked(String),
    /// The answer came to no end that could be looked at.
    Early(Diagnosis),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Stop::Broken(error)
    }
}

impl From<look::Error> for Stop {
    fn from(error: look::Error) -> Self {
        Stop::Broken(std::io::Error::other(error))
    }
}

/// What was seen of an answer.
struct Seen {
    facts: Facts,
    error: Option<String>,
}

/// Checks the answer to `exercise` that `session` has started.
///
/// Fails only if the check itself cannot be made; whatever the answer does is in the [`Verdict`].
pub fn check(exercise: &Exercise, mut session: Session, expected: &Facts) -> std::io::Result<Checked> {
    let seen = look_at(exercise, &mut session);
    let Finished { printed, left_behind } = session.finish()?;
    let (verdict, rows, error) = match seen {
        Ok(Seen { facts, error }) => {
            let rows = facts.beside(expected);
            let verdict = match diagnosis::of(exercise, &facts, expected) {
                None => Verdict::Pass,
                Some(diagnosis) => Verdict::Fail(diagnosis),
            };
            (verdict, rows, error)
        }
        Err(Stop::Early(diagnosis)) => (Verdict::Fail(diagnosis), Vec::new(), None),
        Err(Stop::Blocked(error)) => (Verdict::Blocked(error), Vec::new(), None),
        Err(Stop::Broken(error)) => return Err(error),
    };
    let verdict = match verdict {
        Verdict::Pass if !left_behind.is_empty() => Verdict::Fail(diagnosis::left_behind(&left_behind)),
        verdict => verdict,
    };
    Ok(Checked { verdict, rows, error, printed, left_behind })
}

/// The facts about the answer that `session` has started, as the snapshot of the reference has them.
pub fn facts(exercise: &Exercise, mut session: Session) -> Result<Facts, String> {
    let seen = look_at(exercise, &mut session);
    session.finish().map_err(|error| error.to_string())?;
    match seen {
        Ok(seen) => Ok(seen.facts),
        Err(stop) => Err(format!("{stop:?}")),
    }
}

fn look_at(exercise: &Exercise, session: &mut Session) -> Result<Seen, Stop> {
    match exercise.name {
        "namespaces_of" => looking::look_at(session),
        "naive_root" => roots::naive_root(session),
        "escape" => roots::escape(session),
        "enter_root" => roots::enter_root(session),
        "spawn" => spawning::spawn(session),
        "enter" => spawning::enter(session),
        "reap" => reaping::reap(session),
        "settings" => shares::settings(session),
        "confine" => shares::confine(session),
        "apply_layer" => layers::apply_layer(session),
        "stack" => layers::stack(session),
        "chain_ids" => layers::chain_ids(session),
        "make_layer" => layers::make_layer(session),
        "drop_privileges" => confining::drop_privileges(session),
        "filter" => confining::filter(session),
        "mask" => confining::mask(session),
        other => Err(std::io::Error::other(format!("there is no grader for {other}")).into()),
    }
}

/// The first fact: what the function returned. With it, the full text of an error.
fn returned(outcome: &Outcome) -> Result<(Facts, Option<String>), Stop> {
    let mut facts = Facts::default();
    let error = match outcome {
        Outcome::Failed { text, cause } => {
            facts.say("returned", format!("error: {}", cause.as_deref().unwrap_or("see below")));
            Some(text.clone())
        }
        Outcome::Panicked { message, line } => return Err(Stop::Early(diagnosis::panicked(message, *line))),
        Outcome::Done(_) | Outcome::NotDone => {
            facts.say("returned", "ok");
            None
        }
    };
    Ok((facts, error))
}

/// Who speaks in the facts about an exercise: the kernel, or the answer where its words are what is compared.
pub fn speaker(exercise: &Exercise) -> &'static str {
    match exercise.name {
        "namespaces_of" | "settings" | "chain_ids" => "your function says",
        "reap" => "your function, and what is left",
        "filter" => "your filter",
        "apply_layer" => "on disk is",
        "make_layer" => "in your layer",
        _ => "the kernel says",
    }
}

/// The diagnoses that are an exercise's own, by their ids.
pub fn diagnoses(exercise: &Exercise) -> impl Iterator<Item = &'static str> {
    rules::of(exercise).iter().map(|rule| rule.id)
}

/// The facts that the reference shows, from the snapshot beside the exercise.
pub fn expected(exercise: &Exercise, repository: &Path) -> std::io::Result<Facts> {
    let file = exercise.folder(repository).join("facts.snap");
    let text = std::fs::read_to_string(&file)
        .map_err(|error| std::io::Error::new(error.kind(), format!("read {}: {error}", file.display())))?;
    Ok(Facts::from_snapshot(&text))
}
