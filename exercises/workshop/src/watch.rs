//! `watch`: check whenever a file is saved.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::{Context, Result};
use catalog::Exercise;
use clap::{ArgMatches, Command};
use notify::{EventKind, RecursiveMode, Watcher};

use crate::course;
use crate::mine::{Mine, shown};
use crate::report;
use crate::trial;

/// Editors write a file in several steps. When it has been quiet for this long, they are done.
const QUIET: Duration = Duration::from_millis(40);

/// `watch` and its options.
pub fn command() -> Command {
    Command::new("watch")
        .about("Check an exercise whenever you save its file")
        .arg(course::argument().help("The exercise to begin with; the next one that has not passed, if left out"))
        .after_help("Whichever of your files you save is checked. When one passes, you get the next. Ctrl-C ends it.")
}

/// Checks once, then after each save, until interrupted.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let mine = Mine::here()?;
    mine.make()?;
    let (sender, events) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(sender).context("watch files")?;
    let folder = mine.folder();
    watcher.watch(folder, RecursiveMode::NonRecursive).with_context(|| format!("watch {}", folder.display()))?;
    let mut seen = Seen::default();
    for exercise in &catalog::ALL {
        seen.remember(&mine, exercise)?;
    }
    let mut current = match course::one(arguments)? {
        Some(exercise) => Some(exercise),
        None => course::next(&mine)?,
    };
    loop {
        match current {
            Some(exercise) => {
                if let Err(error) = look_at(&mine, exercise, &mut seen) {
                    eprintln!("workshop: {error:#}");
                }
            }
            None => println!("All exercises have passed. Watching {} all the same.", shown(folder)),
        }
        std::io::stdout().flush()?;
        current = Some(seen.next_saved(&mine, &events)?);
    }
}

/// Checks `exercise` and shows the result. After a pass, the next exercise is begun.
fn look_at(mine: &Mine, exercise: &'static Exercise, seen: &mut Seen) -> Result<()> {
    if mine.start(exercise)? {
        println!("Your file for {} is new: {}", exercise.number, shown(&mine.file(exercise)));
    }
    seen.remember(mine, exercise)?;
    let trials = trial::run(mine, &[exercise])?;
    if std::io::stdout().is_terminal() {
        // Clears the screen and what has scrolled away.
        print!("\x1b[H\x1b[2J\x1b[3J");
    }
    for trial in &trials {
        print!("{}", report::in_full(mine, trial));
    }
    if !trials.iter().all(trial::Trial::passed) {
        return Ok(());
    }
    let Some(next) = course::after(mine, exercise)? else {
        println!("\nAll exercises have passed.");
        return Ok(());
    };
    let new = mine.start(next)?;
    seen.remember(mine, next)?;
    let begun = if new { "Next" } else { "Still open" };
    println!("\n{begun}: {} {}. {}", next.number, next.name, next.task);
    println!("  The task: {}", shown(&next.folder(&course::repository()).join("task.md")));
    println!("  Your file: {}", shown(&mine.file(next)));
    Ok(())
}

/// The contents that were checked last, by number of the exercise.
#[derive(Default)]
struct Seen(BTreeMap<&'static str, Option<String>>);

impl Seen {
    fn remember(&mut self, mine: &Mine, exercise: &'static Exercise) -> Result<()> {
        self.0.insert(exercise.number, mine.hash(exercise)?);
        Ok(())
    }

    /// Waits until the contents of an exercise's file are others than those that were checked.
    fn next_saved(&self, mine: &Mine, events: &Receiver<notify::Result<notify::Event>>) -> Result<&'static Exercise> {
        loop {
            let event = events.recv().context("wait for a change")?.context("watch files")?;
            if matches!(event.kind, EventKind::Access(_)) {
                continue;
            }
            while events.recv_timeout(QUIET).is_ok() {}
            for exercise in &catalog::ALL {
                let now = mine.hash(exercise)?;
                if now.is_some() && self.0.get(exercise.number).unwrap_or(&None) != &now {
                    return Ok(exercise);
                }
            }
        }
    }
}
