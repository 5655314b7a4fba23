//! `check`: look at answers, and say what is right and what is wrong.

use std::process::ExitCode;

use anyhow::Result;
use catalog::Exercise;
use clap::{ArgMatches, Command};

use crate::course;
use crate::format;
use crate::mine::{Mine, shown};
use crate::report;
use crate::trial::{self, Outcome, Trial};

/// `check` and its options.
pub fn command() -> Command {
    Command::new("check")
        .about("Check your answers: all, a chapter's, or one")
        .long_about(
            "Check your answers: all, a chapter's, or one.\n\n\
             Your function is called in a stand-in for this machine, where it can do no harm, and its process is \
             looked at from outside. What counts is what the kernel says, beside what it says of the chapter's own \
             function; what your program prints is shown and does not count.\n\n\
             With one exercise, its file is made if you have none yet. With several, the first that fails is \
             explained, and the others get a line each.",
        )
        .arg(course::argument().help("A number (1.3), a name (enter_root) or a chapter (1); all, if left out"))
        .arg(format::argument())
        .after_help(
            "Examples:\n  cargo workshop check              everything that you have begun\n  \
             cargo workshop check 1.3          one exercise\n  \
             cargo workshop check enter_root   the same\n  \
             cargo workshop check 1            chapter 1\n\n\
             Status: 0 all passed, 1 something failed or is not done, 2 something is blocked by this machine and \
             nothing failed.",
        )
}

/// Checks, prints, and gives the status.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let mine = Mine::here()?;
    let chosen = course::several(arguments)?;
    let json = format::is_json(arguments);
    if let [exercise] = chosen.as_slice()
        && mine.start(exercise)?
        && !json
    {
        println!("Your file for {} is new: {}\n", exercise.number, shown(&mine.file(exercise)));
    }
    let exercises: Vec<&'static Exercise> = if chosen.is_empty() { catalog::ALL.iter().collect() } else { chosen };
    let trials = trial::run(&mine, &exercises)?;
    if json {
        let records: Vec<_> = trials.iter().map(report::as_json).collect();
        println!("{}", serde_json::to_string_pretty(&records)?);
    } else {
        print!("{}", explained(&mine, &trials));
    }
    Ok(status(&trials))
}

/// A line for each trial; the first that failed, and a trial that is alone, in full.
fn explained(mine: &Mine, trials: &[Trial]) -> String {
    let first = match trials {
        [_] => Some(0),
        several => several.iter().position(|t| !t.passed() && !matches!(t.outcome, Outcome::NotStarted)),
    };
    let said = |(index, trial)| match first {
        Some(first) if first == index && index + 1 < trials.len() => report::in_full(mine, trial) + "\n",
        Some(first) if first == index => report::in_full(mine, trial),
        _ => report::in_short(trial),
    };
    let text: String = trials.iter().enumerate().map(said).collect();
    match trials {
        [one] if one.passed() => text + &what_next(mine, one.exercise),
        [_] => text,
        several => text + &summary(several),
    }
}

/// After a pass.
fn what_next(mine: &Mine, done: &Exercise) -> String {
    match course::after(mine, done) {
        Ok(Some(next)) => format!("\n  Next: {} {}. cargo workshop start {}\n", next.number, next.name, next.number),
        Ok(None) => "\n  All exercises have passed. cargo workshop list\n".into(),
        // What cannot be read is said by the command that needs it.
        Err(_) => String::new(),
    }
}

/// `2 of 4 passed, 1 failed, 1 not started`
fn summary(trials: &[Trial]) -> String {
    let count = |which: fn(&Trial) -> bool| trials.iter().filter(|trial| which(trial)).count();
    let not_started = count(|trial| matches!(trial.outcome, Outcome::NotStarted));
    let (passed, blocked) = (count(Trial::passed), count(Trial::blocked));
    let failed = trials.len() - passed - blocked - not_started;
    let mut text = format!("\n{passed} of {} passed", trials.len());
    for (number, word) in [(failed, "failed"), (blocked, "blocked"), (not_started, "not started")] {
        if number > 0 {
            text += &format!(", {number} {word}");
        }
    }
    text + "\n"
}

fn status(trials: &[Trial]) -> ExitCode {
    ExitCode::from(match trials {
        all if all.iter().all(Trial::passed) => 0,
        some if some.iter().all(|trial| trial.passed() || trial.blocked()) => 2,
        _ => 1,
    })
}
