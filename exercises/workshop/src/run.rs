//! `run`: the finished runtime, with your functions in it.

use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use anyhow::{Context, Result};
use catalog::Exercise;
use clap::{Arg, ArgMatches, Command};

use crate::compile;
use crate::mine::Mine;
use crate::progress::{Progress, Standing};

/// `run` and its options.
pub fn command() -> Command {
    Command::new("run")
        .about("Run tinbox with your functions in the places of the chapters' own")
        .arg(
            Arg::new("arguments")
                .value_name("ARGS")
                .help("The arguments of tinbox")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true),
        )
        .after_help(
            "A function is yours when its file has passed and has not been changed since; else the chapter's own is \
             used, and the first line says why.\n\n\
             Examples:\n  cargo workshop run -- run --rm -it base\n  \
             cargo workshop run -- run --explain --rm base ls /",
        )
}

/// Builds the runtime, says which functions are whose, and becomes it.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let mine = Mine::here()?;
    let progress = Progress::load(&mine)?;
    let mut yours: Vec<&Exercise> = Vec::new();
    let mut seams = Vec::new();
    for exercise in catalog::ALL.iter().filter(|exercise| exercise.seam) {
        let standing = progress.standing(&mine, exercise)?;
        if standing == Standing::Passed {
            yours.push(exercise);
        }
        seams.push((exercise, why_not(standing, progress.of(exercise).gave_up)));
    }
    let (program, lock) = compile::runtime(&mine, &yours)?;
    eprintln!("{}", whose(&seams));
    let arguments = arguments.get_many::<String>("arguments").into_iter().flatten();
    let error = std::process::Command::new(&program).arg0("tinbox").args(arguments).exec();
    drop(lock);
    Err(error).with_context(|| format!("run {}", program.display()))
}

const NOT_BEGUN: &str = "not begun";

/// Why the chapter's own function is used, if it is.
fn why_not(standing: Standing, gave_up: bool) -> Option<&'static str> {
    match standing {
        Standing::Passed => None,
        _ if gave_up => Some("given up"),
        Standing::NotStarted => Some(NOT_BEGUN),
        Standing::Started => Some("has not passed yet"),
        Standing::Changed => Some("changed since it passed"),
    }
}

/// `ch1 yours · ch2 in parts yours (2.3 reap: has not passed yet) · ch3 reference (not begun)`
fn whose(seams: &[(&Exercise, Option<&str>)]) -> String {
    let chapters = seams.chunk_by(|(one, _), (other, _)| one.chapter() == other.chapter());
    let words = chapters.map(|seams| {
        let reasons =
            seams.iter().filter_map(|(seam, why)| Some(format!("{} {}: {}", seam.number, seam.name, (*why)?)));
        let reasons: Vec<String> = reasons.collect();
        let untouched = seams.iter().all(|(_, why)| *why == Some(NOT_BEGUN));
        let who = match reasons.len() {
            0 => "yours",
            some if some == seams.len() => "reference",
            _ => "in parts yours",
        };
        let chapter = seams.first().map_or("", |(seam, _)| seam.chapter());
        match reasons.as_slice() {
            [] => format!("ch{chapter} {who}"),
            _ if untouched => format!("ch{chapter} {who} ({NOT_BEGUN})"),
            reasons => format!("ch{chapter} {who} ({})", reasons.join(", ")),
        }
    });
    words.collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_is_yours_reference_or_both() {
        let seam = |name: &str| catalog::select(name)[0];
        let seams = [
            (seam("enter_root"), None),
            (seam("spawn"), None),
            (seam("reap"), Some("not begun")),
            (seam("settings"), why_not(Standing::Started, true)),
            (seam("drop_privileges"), Some(NOT_BEGUN)),
            (seam("mask"), Some(NOT_BEGUN)),
        ];
        let words = "ch1 yours · ch2 in parts yours (2.3 reap: not begun) · ch3 reference (3.1 settings: given up) · \
                     ch8 reference (not begun)";
        assert_eq!(whose(&seams), words);
    }
}
