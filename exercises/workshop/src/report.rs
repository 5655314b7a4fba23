//! What came of a check, said to people and to programs.

use std::fmt::Write;

use catalog::Exercise;
use colored::{ColoredString, Colorize};
use grade::{Checked, Diagnosis, Row, Verdict};
use serde_json::json;

use crate::course;
use crate::doctor;
use crate::mine::{Mine, shown};
use crate::text::{padded, wrapped};
use crate::trial::{Outcome, Trial};

/// All about one trial.
pub fn in_full(mine: &Mine, trial: &Trial) -> String {
    let mut out = in_short(trial);
    match &trial.outcome {
        Outcome::NotStarted => {
            let _ = writeln!(out, "\n  Get its file with: cargo workshop start {}", trial.exercise.number);
        }
        Outcome::DoesNotCompile => compiler(&mut out, trial),
        Outcome::Checked(checked) => {
            facts(&mut out, trial.exercise, checked);
            returned(&mut out, checked);
            advice(&mut out, trial.exercise, &checked.verdict);
            printed(&mut out, checked);
            compiler(&mut out, trial);
        }
    }
    out + &next(mine, trial)
}

/// One line about a trial.
pub fn in_short(trial: &Trial) -> String {
    let (mark, words) = match &trial.outcome {
        Outcome::NotStarted => ("○".normal(), "not started".to_owned()),
        Outcome::DoesNotCompile => ("✘".red(), "it does not compile yet".to_owned()),
        Outcome::Checked(checked) => match &checked.verdict {
            Verdict::Pass => ("✔".green(), "passed".to_owned()),
            Verdict::Fail(diagnosis) => ("✘".red(), diagnosis.title.clone()),
            Verdict::Blocked(_) => ("⊘".yellow(), "blocked: this machine does not let it be checked".to_owned()),
        },
    };
    format!("{mark} {} {}\n", name(trial.exercise).bold(), words)
}

fn name(exercise: &Exercise) -> String {
    format!("{} {}:", exercise.number, exercise.name)
}

/// The table of what was expected and what was seen.
fn facts(out: &mut String, exercise: &Exercise, checked: &Checked) {
    if checked.rows.is_empty() {
        return;
    }
    let column = |text: fn(&Row) -> &str, least: usize| {
        checked.rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0).max(least)
    };
    let (what, expected) = (column(|row| &row.what, 0), column(|row| &row.expected, 8));
    let speaker = grade::speaker(exercise);
    if what + expected + column(|row| &row.found, 0) > WIDEST {
        return wide_facts(out, what, speaker, &checked.rows);
    }
    let heading = format!("    {}  {}  {speaker}", padded("", what), padded("expected", expected));
    let _ = writeln!(out, "\n{}", heading.dimmed());
    for row in &checked.rows {
        let line = format!("{}  {}  {}", padded(&row.what, what), padded(&row.expected, expected), row.found);
        let line = if row.tried() && !row.agrees() { line.normal() } else { line.dimmed() };
        let _ = writeln!(out, "  {} {line}", fact_mark(row));
    }
}

/// The mark of a fact. What was not tried is neither right nor wrong.
fn fact_mark(row: &Row) -> ColoredString {
    match (row.tried(), row.agrees()) {
        (false, _) => "·".dimmed(),
        (true, true) => "✔".green(),
        (true, false) => "✘".red(),
    }
}

/// How many columns a table may have besides its marks and gaps.
const WIDEST: usize = 110;

/// Where there is no room for two columns beside each other: what agrees once, and what differs one below the other.
fn wide_facts(out: &mut String, what: usize, speaker: &str, rows: &[Row]) {
    let _ = writeln!(out, "\n{}", format!("    {}  expected", padded("", what)).dimmed());
    for row in rows {
        let line = format!("{}  {}", padded(&row.what, what), row.expected);
        let mark = fact_mark(row);
        if row.agrees() || !row.tried() {
            let _ = writeln!(out, "  {mark} {}", line.dimmed());
            continue;
        }
        let _ = writeln!(out, "  {mark} {line}\n    {}  {}", padded(&format!("{speaker}:"), what).dimmed(), row.found);
    }
}

fn returned(out: &mut String, checked: &Checked) {
    let Some(error) = &checked.error else { return };
    let returned_ok = checked.rows.iter().any(|row| row.what == "returned" && row.found == "ok");
    let whose = if returned_ok { "What was tried afterwards failed:" } else { "Your function returned this error:" };
    let _ = writeln!(out, "\n  {whose}");
    for line in error.lines() {
        let _ = writeln!(out, "    {}", line.red());
    }
}

fn advice(out: &mut String, exercise: &Exercise, verdict: &Verdict) {
    match verdict {
        Verdict::Pass => {}
        Verdict::Fail(Diagnosis { words, read, .. }) => {
            let _ = write!(out, "\n{}", wrapped(words, "  "));
            if !read.is_empty() {
                let _ = write!(
                    out,
                    "\n{}",
                    wrapped(&format!("Read: {read}; the book, chapter {}", exercise.chapter()), "  ")
                );
            }
        }
        Verdict::Blocked(error) => {
            let _ = write!(out, "\n{}", wrapped(&why_blocked(exercise, error), "  "));
        }
    }
}

/// What stands in the way and how to change that, from the doctor, who tries it once more.
fn why_blocked(exercise: &Exercise, error: &str) -> String {
    match doctor::blocked_by(course::needs(exercise)) {
        Some(blocked) => blocked.to_string(),
        None => {
            format!("{error}\nThe doctor finds nothing wrong. Try again, and if it stays: cargo workshop doctor -v")
        }
    }
}

fn printed(out: &mut String, checked: &Checked) {
    const LINES: usize = 12;
    if checked.printed.trim().is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  Your program printed (for you to read; it does not count):");
    for line in checked.printed.lines().take(LINES) {
        let _ = writeln!(out, "    {} {}", "│".dimmed(), visible(line));
    }
    let more = checked.printed.lines().count().saturating_sub(LINES);
    if more > 0 {
        let _ = writeln!(out, "    {}", format!("│ … and {more} more lines").dimmed());
    }
}

/// A line without the characters that steer a terminal.
fn visible(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { '·' } else { c }).collect()
}

/// What the compiler said about the learner's file.
fn compiler(out: &mut String, trial: &Trial) {
    if trial.messages.iter().any(|message| message.signature) {
        let words = format!(
            "The file must hold this function, with this name and this signature, because the runtime calls it so:\n\n    {}",
            trial.exercise.signature
        );
        let _ = write!(out, "\n{}", wrapped(&words, "  "));
    }
    if !trial.messages.is_empty() && !trial.messages.iter().any(|message| message.is_error) {
        let _ = writeln!(out, "\n  It compiles, but the compiler noticed something:");
    }
    for message in trial.messages.iter().filter(|message| !message.signature) {
        out.push('\n');
        for line in message.rendered.trim_end().lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
}

/// What to do now.
fn next(mine: &Mine, trial: &Trial) -> String {
    let number = trial.exercise.number;
    if trial.passed() {
        if !trial.exercise.seam {
            return format!("\n{}", wrapped(trial.exercise.why_not_called(), "  "));
        }
        let command = trial.exercise.to_see_it();
        return format!("\n  The runtime can use your function now: cargo workshop run -- {command}\n");
    }
    if trial.blocked() || matches!(trial.outcome, Outcome::NotStarted) {
        return String::new();
    }
    let file = format!("Your file: {}", shown(&mine.file(trial.exercise)));
    format!("\n  {}\n", format!("{file}   Stuck? cargo workshop hint {number}").dimmed())
}

/// A trial as JSON.
pub fn as_json(trial: &Trial) -> serde_json::Value {
    let mut record = json!({ "exercise": trial.exercise.number, "name": trial.exercise.name });
    record["outcome"] = match &trial.outcome {
        Outcome::NotStarted => "not-started".into(),
        Outcome::DoesNotCompile => {
            let rendered: String = trial.messages.iter().map(|message| message.rendered.as_str()).collect();
            record["compiler"] = rendered.into();
            "does-not-compile".into()
        }
        Outcome::Checked(checked) => {
            record["facts"] = json!(checked.rows);
            record["printed"] = json!(checked.printed);
            record["returned"] = json!(checked.error);
            record["left_behind"] = json!(checked.left_behind);
            match &checked.verdict {
                Verdict::Pass => "passed".into(),
                Verdict::Fail(diagnosis) => {
                    record["diagnosis"] = json!(diagnosis);
                    "failed".into()
                }
                Verdict::Blocked(error) => {
                    record["blocked"] = json!(why_blocked(trial.exercise, error));
                    "blocked".into()
                }
            }
        }
    };
    record
}

/// A mark for a list.
pub fn mark(standing: crate::progress::Standing) -> ColoredString {
    use crate::progress::Standing;
    match standing {
        Standing::Passed => "✔".green(),
        Standing::Changed | Standing::Started => "●".yellow(),
        Standing::NotStarted => "○".normal(),
    }
}
