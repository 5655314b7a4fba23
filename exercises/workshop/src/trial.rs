//! Checking exercises: compile, run, look, write down what came of it.

use std::path::Path;

use anyhow::{Context, Result};
use catalog::Exercise;
use grade::{Checked, Session, Verdict};

use crate::compile::{self, Answers, Message};
use crate::course;
use crate::mine::Mine;
use crate::progress;

/// What came of checking one exercise.
#[derive(Debug)]
pub struct Trial {
    /// The exercise.
    pub exercise: &'static Exercise,
    /// How it ended.
    pub outcome: Outcome,
    /// What the compiler said about the learner's file.
    pub messages: Vec<Message>,
}

/// How a check ended.
#[derive(Debug)]
pub enum Outcome {
    /// The learner has no file for this exercise.
    NotStarted,
    /// Their file does not compile.
    DoesNotCompile,
    /// Their function was called and looked at.
    Checked(Checked),
}

impl Trial {
    /// Whether it passed.
    pub fn passed(&self) -> bool {
        matches!(&self.outcome, Outcome::Checked(Checked { verdict: Verdict::Pass, .. }))
    }

    /// Whether this machine could not run it.
    pub fn blocked(&self) -> bool {
        matches!(&self.outcome, Outcome::Checked(Checked { verdict: Verdict::Blocked(_), .. }))
    }
}

/// Checks `exercises`, and records which passed. An exercise whose file does not compile does not keep the others
/// from being checked.
pub fn run(mine: &Mine, exercises: &[&'static Exercise]) -> Result<Vec<Trial>> {
    let started: Vec<_> = exercises.iter().copied().filter(|exercise| mine.has(exercise)).collect();
    let hashes = started.iter().map(|exercise| mine.hash(exercise)).collect::<Result<Vec<_>>>()?;
    let (mut messages, answers) = build(mine, &started)?;
    let broken: Vec<_> = messages.iter().filter(|message| message.is_error).map(|message| message.exercise).collect();
    let mut trials = Vec::new();
    for exercise in exercises.iter().copied() {
        let index = started.iter().position(|other| *other == exercise);
        let outcome = match (index, answers.as_ref().and_then(|answers| answers.program.as_ref())) {
            (None, _) => Outcome::NotStarted,
            (Some(index), Some(program)) if !broken.contains(&exercise) => {
                let checked = check(exercise, program)?;
                remember(mine, exercise, hashes[index].clone(), &checked)?;
                Outcome::Checked(checked)
            }
            (Some(_), _) => Outcome::DoesNotCompile,
        };
        let about = messages.extract_if(.., |message| message.exercise == exercise).collect();
        trials.push(Trial { exercise, outcome, messages: about });
    }
    Ok(trials)
}

fn check(exercise: &Exercise, program: &Path) -> Result<Checked> {
    let expected = grade::expected(exercise, &course::repository())?;
    let session = Session::start(program, exercise.number, "yours")?;
    grade::check(exercise, session, &expected).with_context(|| format!("check {} {}", exercise.number, exercise.name))
}

/// Builds the answers to `exercises`. Those that do not compile are taken out until the rest does. With the program
/// comes all that the compiler said.
fn build(mine: &Mine, exercises: &[&'static Exercise]) -> Result<(Vec<Message>, Option<Answers>)> {
    let mut rest = exercises.to_vec();
    let mut said = Vec::new();
    while !rest.is_empty() {
        let mut answers = compile::answers(mine, &rest)?;
        if answers.program.is_some() {
            said.append(&mut answers.messages);
            return Ok((said, Some(answers)));
        }
        let errors: Vec<_> = answers.messages.into_iter().filter(|message| message.is_error).collect();
        rest.retain(|exercise| !errors.iter().any(|error| error.exercise == *exercise));
        said.extend(errors);
    }
    Ok((said, None))
}

/// Records a pass with the file that passed. A file that passed once and does so no longer has lost its pass.
fn remember(mine: &Mine, exercise: &Exercise, hash: Option<String>, checked: &Checked) -> Result<()> {
    progress::record(mine, exercise, |record| match checked.verdict {
        Verdict::Pass => record.passed = hash,
        Verdict::Fail(_) if record.passed == hash => record.passed = None,
        Verdict::Fail(_) | Verdict::Blocked(_) => {}
    })
}
