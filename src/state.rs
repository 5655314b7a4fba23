//! Where Tinbox keeps what it knows.
//!
//! | who               | images, containers              | what lives only while something runs |
//! |-------------------|---------------------------------|--------------------------------------|
//! | root              | `/var/lib/tinbox`               | `/run/tinbox`                        |
//! | an ordinary user  | `$XDG_DATA_HOME/tinbox`         | `$XDG_RUNTIME_DIR/tinbox`            |
//! | `TINBOX_ROOT` set | `$TINBOX_ROOT`                  | `$TINBOX_ROOT/run`                   |
//!
//! Everything is plain files, and nobody else may read them: layers hold other people's set-user-ID programs,
//! and container records hold secrets from `-e`.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use nix::unistd::{User, geteuid};
use serde::Serialize;

/// The directories of this user's Tinbox.
#[derive(Debug, Clone)]
pub struct State {
    data: PathBuf,
    run: PathBuf,
}

impl State {
    /// Finds the directories and makes those that are missing.
    pub fn open() -> Result<State> {
        let state = State::locate()?;
        for dir in [&state.data, &state.run, &state.containers(), &state.names(), &state.mount_point()] {
            private_dir(dir)?;
        }
        Ok(state)
    }

    fn locate() -> Result<State> {
        if let Some(root) = absolute("TINBOX_ROOT")? {
            return Ok(State { run: root.join("run"), data: root });
        }
        if geteuid().is_root() {
            return Ok(State { data: "/var/lib/tinbox".into(), run: "/run/tinbox".into() });
        }
        let data = match absolute("XDG_DATA_HOME")? {
            Some(data) => data,
            None => home()?.join(".local/share"),
        }
        .join("tinbox");
        let run = absolute("XDG_RUNTIME_DIR")?.filter(|dir| dir.is_dir()).map(|dir| dir.join("tinbox"));
        Ok(State { run: run.unwrap_or_else(|| data.join("run")), data })
    }

    /// Images: see [`crate::images`].
    pub fn images(&self) -> PathBuf {
        self.data.join("images")
    }

    /// One directory for each container, by id.
    pub fn containers(&self) -> PathBuf {
        self.data.join("containers")
    }

    /// One link for each name of a container, to its id.
    pub fn names(&self) -> PathBuf {
        self.data.join("names")
    }

    /// One file for each container that runs, locked by the process that looks after it.
    pub fn running(&self) -> &Path {
        &self.run
    }

    /// The directory on which each container, in its own mount namespace, mounts its root.
    pub fn mount_point(&self) -> PathBuf {
        self.data.join("root")
    }
}

/// A directory from the environment, which must be absolute: XDG Base Directory Specification, "Basics".
fn absolute(variable: &str) -> Result<Option<PathBuf>> {
    match std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from) {
        Some(path) if path.is_absolute() => Ok(Some(path)),
        Some(path) => bail!("{variable}={}: not an absolute path", path.display()),
        None => Ok(None),
    }
}

fn home() -> Result<PathBuf> {
    if let Some(home) = absolute("HOME")? {
        return Ok(home);
    }
    let user = User::from_uid(geteuid()).ok().flatten();
    user.map(|user| user.dir)
        .context("HOME is not set, and this user has no entry in /etc/passwd: set HOME or TINBOX_ROOT")
}

/// Makes `dir` for this user alone, or checks that it is this user's.
fn private_dir(dir: &Path) -> Result<()> {
    match std::fs::symlink_metadata(dir) {
        Ok(there) => {
            let mine = there.uid() == geteuid().as_raw();
            ensure!(
                mine,
                "{} belongs to user {}, not to you: set TINBOX_ROOT to a directory of your own",
                dir.display(),
                there.uid()
            );
            Ok(())
        }
        Err(_) => std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .with_context(|| format!("make the directory {}", dir.display())),
    }
}

/// Writes `record` to `path` so that a reader finds the old one or the new one, whole.
pub fn write_record(path: &Path, record: &impl Serialize) -> Result<()> {
    let temporary = path.with_extension("new");
    let write = || -> Result<()> {
        std::fs::write(&temporary, serde_json::to_vec(record)?)?;
        Ok(std::fs::rename(&temporary, path)?)
    };
    write().with_context(|| format!("write {}", path.display()))
}

/// Reads what [`write_record`] wrote.
pub fn read_record<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
}
