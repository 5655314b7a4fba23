//! The learner's folder: one file for each exercise, and the progress.
//!
//! It is `exercises/mine/`, which git ignores, or wherever `TINBOX_MINE` says. Course and learner never write into
//! each other's files.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow};
use catalog::{Exercise, cut};
use sha2::{Digest, Sha256};

use crate::course;

/// The folder.
#[derive(Debug)]
pub struct Mine(PathBuf);

impl Mine {
    /// The learner's folder, whether it is there yet or not.
    pub fn here() -> Result<Mine> {
        let folder = match std::env::var_os(catalog::module::MINE) {
            Some(folder) => std::path::absolute(&folder).with_context(|| format!("find {}", folder.display()))?,
            None => course::repository().join("exercises/mine"),
        };
        Ok(Mine(folder))
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Makes the folder.
    pub fn make(&self) -> Result<()> {
        fs::create_dir_all(&self.0).with_context(|| format!("make {}", self.0.display()))
    }

    /// The learner's file for `exercise`, whether it is there yet or not.
    pub fn file(&self, exercise: &Exercise) -> PathBuf {
        self.0.join(exercise.file())
    }

    /// Whether the learner has begun with `exercise`.
    pub fn has(&self, exercise: &Exercise) -> bool {
        self.file(exercise).exists()
    }

    /// When the learner's file was saved last.
    pub fn saved(&self, exercise: &Exercise) -> Result<SystemTime> {
        let file = self.file(exercise);
        let saved = fs::metadata(&file).and_then(|file| file.modified());
        saved.with_context(|| format!("look at {}", file.display()))
    }

    /// Writes the starter, if the learner has no file yet. Says whether it did.
    pub fn start(&self, exercise: &Exercise) -> Result<bool> {
        let starter = starter(exercise)?;
        self.make()?;
        let file = self.file(exercise);
        match File::create_new(&file) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            created => {
                let written = created.and_then(|mut created| created.write_all(starter.as_bytes()));
                written.with_context(|| format!("write {}", file.display()))?;
                Ok(true)
            }
        }
    }

    /// Whether the learner's file is there, and still the starter.
    pub fn is_untouched(&self, exercise: &Exercise) -> Result<bool> {
        let starter = starter(exercise)?;
        Ok(fs::read(self.file(exercise)).is_ok_and(|contents| contents == starter.as_bytes()))
    }

    /// Moves the learner's file to a name that is free, and says which.
    pub fn set_aside(&self, exercise: &Exercise) -> Result<PathBuf> {
        let file = self.file(exercise);
        for number in 1.. {
            let aside = self.0.join(format!("{}.bak-{number}", exercise.file()));
            // A link fails where something is, a rename would replace it.
            match fs::hard_link(&file, &aside) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                linked => {
                    let moved = linked.and_then(|()| fs::remove_file(&file));
                    moved.with_context(|| format!("move {} to {}", file.display(), aside.display()))?;
                    return Ok(aside);
                }
            }
        }
        unreachable!("a folder does not hold every number")
    }

    /// What stands for the contents of the learner's file: 64 hex digits. `None` if there is no file.
    pub fn hash(&self, exercise: &Exercise) -> Result<Option<String>> {
        let file = self.file(exercise);
        match fs::read(&file) {
            Ok(contents) => Ok(Some(Sha256::digest(contents).iter().map(|byte| format!("{byte:02x}")).collect())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
        }
    }
}

fn starter(exercise: &Exercise) -> Result<String> {
    cut::starter(exercise, &course::reference(exercise)?).map_err(|problem| anyhow!(problem))
}

/// A path as short as it can be said from here.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
