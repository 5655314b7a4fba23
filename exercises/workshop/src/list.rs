//! `list`: how far you are.

use std::process::ExitCode;

use anyhow::Result;
use catalog::Exercise;
use clap::{ArgMatches, Command};
use colored::Colorize;
use serde::Serialize;

use crate::course;
use crate::doctor;
use crate::format;
use crate::mine::Mine;
use crate::progress::{Progress, Standing};
use crate::report;
use crate::text::padded;

/// `list` and its options.
pub fn command() -> Command {
    Command::new("list").about("Show the exercises, and how far you are").arg(format::argument()).after_help(
        "✔ passed   ● begun   ○ not begun   ⊘ this machine cannot check it: cargo workshop doctor\n\
             tinbox     the runtime calls your function once it has passed: cargo workshop run",
    )
}

/// What stands beside an exercise whose function the runtime calls.
const IN_TINBOX: &str = "tinbox";

/// One exercise in the list.
#[derive(Serialize)]
struct Line {
    exercise: &'static str,
    name: &'static str,
    task: &'static str,
    standing: Standing,
    blocked: bool,
    seam: bool,
    hints: usize,
    gave_up: bool,
}

/// Prints the list.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let mine = Mine::here()?;
    let progress = Progress::load(&mine)?;
    let lines = catalog::ALL.iter().map(|exercise| line(&mine, &progress, exercise)).collect::<Result<Vec<_>>>()?;
    if format::is_json(arguments) {
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        print!("{}", table(&lines, course::next(&mine)?));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(mine: &Mine, progress: &Progress, exercise: &'static Exercise) -> Result<Line> {
    let record = progress.of(exercise);
    Ok(Line {
        exercise: exercise.number,
        name: exercise.name,
        task: exercise.task,
        standing: progress.standing(mine, exercise)?,
        blocked: doctor::blocked_by(course::needs(exercise)).is_some(),
        seam: exercise.seam,
        hints: record.hints,
        gave_up: record.gave_up,
    })
}

fn table(lines: &[Line], next: Option<&Exercise>) -> String {
    let name = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    let task = lines.iter().map(|line| line.task.len()).max().unwrap_or(0);
    let notes: Vec<String> = lines.iter().map(notes).collect();
    let note = notes.iter().map(|note| note.chars().count()).max().unwrap_or(0).max(4);
    let rule = |left: &str, middle: &str, right: &str| {
        let columns = [7, name + 2, task + 2, IN_TINBOX.len() + 2, note + 2].map(|width| "─".repeat(width));
        format!("{left}{}{right}\n", columns.join(middle)).dimmed().to_string()
    };
    let bar = "│".dimmed();
    let mut out = rule("┌", "┬", "┐");
    for (index, (line, text)) in lines.iter().zip(&notes).enumerate() {
        if index > 0 && chapter(line) != chapter(&lines[index - 1]) {
            out += &rule("├", "┼", "┤");
        }
        let mark = if line.blocked { "⊘".red() } else { report::mark(line.standing) };
        let (name, task, text) = (padded(line.name, name), padded(line.task, task), padded(text, note));
        let seam = padded(if line.seam { IN_TINBOX } else { "" }, IN_TINBOX.len());
        let name = name.bold();
        out += &format!("{bar} {mark} {} {bar} {name} {bar} {task} {bar} {seam} {bar} {text} {bar}\n", line.exercise);
    }
    out += &rule("└", "┴", "┘");
    let passed = lines.iter().filter(|line| line.standing == Standing::Passed).count();
    let seams = lines.iter().filter(|line| line.seam).count();
    out += &format!("{IN_TINBOX}: the runtime calls these {seams}, yours once they have passed.\n");
    out + &format!("{passed} of {} passed. {}\n", lines.len(), what_next(lines, next))
}

fn chapter(line: &Line) -> Option<&str> {
    line.exercise.split('.').next()
}

/// What is worth saying about a line besides its mark.
fn notes(line: &Line) -> String {
    let standing = match line.standing {
        Standing::Passed => "yours",
        Standing::Changed => "changed since it passed",
        Standing::Started => "begun",
        Standing::NotStarted => "",
    };
    let hints = match line.hints {
        0 => String::new(),
        1 => "1 hint".into(),
        more => format!("{more} hints"),
    };
    let parts =
        [if line.blocked { "blocked here" } else { "" }, standing, &hints, if line.gave_up { "gave up" } else { "" }];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn what_next(lines: &[Line], next: Option<&Exercise>) -> String {
    match lines.iter().find(|line| next.is_some_and(|next| next.number == line.exercise)) {
        None => "A container with your code in it: cargo workshop run -- run --rm -it base".into(),
        Some(line) if line.blocked => "What is blocked, and how to change that: cargo workshop doctor".into(),
        Some(line) if line.standing == Standing::NotStarted => {
            format!("Next: cargo workshop start {}", line.exercise)
        }
        Some(line) => format!("Next: cargo workshop check {}", line.exercise),
    }
}
