//! What the learner has done: `progress.json` in their folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use catalog::Exercise;
use serde::{Deserialize, Serialize};

use crate::mine::Mine;

/// All of it, by the number of the exercise.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Progress {
    #[serde(default)]
    exercises: BTreeMap<String, Record>,
}

/// What was done about one exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The hash of the file that passed.
    pub passed: Option<String>,
    /// How many hints were read.
    pub hints: usize,
    /// Whether the solution was asked for before a pass.
    pub gave_up: bool,
}

/// How far an exercise is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// There is no file of the learner's.
    NotStarted,
    /// There is one, and none has passed yet.
    Started,
    /// It passed, and has been changed since.
    Changed,
    /// The file that is there has passed.
    Passed,
}

impl Progress {
    /// Reads it; empty where there is none.
    pub fn load(mine: &Mine) -> Result<Progress> {
        let file = file(mine);
        match std::fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| format!("understand {}", file.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Progress::default()),
            Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
        }
    }

    /// What is recorded about `exercise`.
    pub fn of(&self, exercise: &Exercise) -> Record {
        self.exercises.get(exercise.number).cloned().unwrap_or_default()
    }

    /// How far `exercise` is.
    pub fn standing(&self, mine: &Mine, exercise: &Exercise) -> Result<Standing> {
        let now = mine.hash(exercise)?;
        Ok(match (now, self.of(exercise).passed) {
            (None, _) => Standing::NotStarted,
            (Some(_), None) => Standing::Started,
            (Some(now), Some(passed)) if now == passed => Standing::Passed,
            (Some(_), Some(_)) => Standing::Changed,
        })
    }
}

/// Changes the record of `exercise`, on disk, in one step.
pub fn record(mine: &Mine, exercise: &Exercise, change: impl FnOnce(&mut Record)) -> Result<()> {
    mine.make()?;
    let mut progress = Progress::load(mine)?;
    let record = progress.exercises.entry(exercise.number.to_owned()).or_default();
    let before = record.clone();
    change(record);
    if *record == before {
        return Ok(());
    }
    let file = file(mine);
    let draft = file.with_extension(format!("json.{}", std::process::id()));
    let text = serde_json::to_string_pretty(&progress)? + "\n";
    let written = write_synced(&draft, &text).and_then(|()| std::fs::rename(&draft, &file));
    written.with_context(|| format!("write {}", file.display()))
}

fn write_synced(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn file(mine: &Mine) -> PathBuf {
    mine.folder().join("progress.json")
}
