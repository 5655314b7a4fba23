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

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use nix::unistd::{Gid, Group, User, geteuid};
use serde::Serialize;

/// The directories of this user's Tinbox.
#[derive(Debug, Clone)]
pub struct State {
    data: PathBuf,
    run: PathBuf,
}

impl State {
    /// Finds the directories and makes those that are missing.
    ///
    /// Errors: a directory that is somebody else's, or that others may write to.
    pub fn open() -> Result<State> {
        let state = State::locate()?;
        for dir in [&state.data, &state.run, &state.containers(), &state.names(), &state.mount_point()] {
            private_dir(dir)?;
        }
        // The store makes it when there is something to keep.
        check_private(&state.images())?;
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

    /// Images: see [`images::Store`].
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

/// Makes `dir` for this user alone, or checks that it is.
fn private_dir(dir: &Path) -> Result<()> {
    match check_private(dir)? {
        true => Ok(()),
        false => std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .with_context(|| format!("make the directory {}", dir.display())),
    }
}

/// Refuses a directory in which somebody else can put or change something: what this user's Tinbox then wrote there could
/// go anywhere. Answers whether there is one.
///
/// It may lie elsewhere, behind a symlink of this user's own.
fn check_private(dir: &Path) -> Result<bool> {
    let named = match std::fs::symlink_metadata(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        found => found.with_context(|| format!("look at {}", dir.display()))?,
    };
    check_owner(dir, &named)?;
    let found = match named.is_symlink() {
        true => {
            let found = std::fs::metadata(dir).with_context(|| format!("follow the symlink {}", dir.display()))?;
            check_owner(dir, &found)?;
            found
        }
        false => named,
    };
    let name = dir.display();
    ensure!(found.is_dir(), "{name} is not a directory: move it away, or set TINBOX_ROOT to another directory");
    ensure!(
        found.mode() & 0o002 == 0 && (found.mode() & 0o020 == 0 || is_your_own_group(found.gid())),
        "{name} can be changed by other users, so what is in it cannot be trusted\n  help: look whether all that is in it \
         is yours, then: chmod go-w {name}"
    );
    Ok(true)
}

/// Whether nobody but this user is in the group `gid`: Debian gives each user such a group of the same name, and where it
/// does, a umask of 002 is usual.
fn is_your_own_group(gid: u32) -> bool {
    let (group, user) = (Group::from_gid(Gid::from_raw(gid)), User::from_uid(geteuid()));
    let (Ok(Some(group)), Ok(Some(user))) = (group, user) else { return false };
    group.gid == user.gid && group.name == user.name && group.mem.iter().all(|member| *member == user.name)
}

fn check_owner(dir: &Path, found: &Metadata) -> Result<()> {
    let (name, owner, you) = (dir.display(), found.uid(), geteuid());
    ensure!(
        owner == you.as_raw(),
        "{name} belongs to user {owner}, not to you\n  help: set TINBOX_ROOT to a directory of your own; or, if you trust \
         what is in it, as root: chown -R {you} {name}"
    );
    Ok(())
}

/// Writes `record` to `path` so that a reader finds the old one or the new one, whole. With `lasting` set, that is so
/// after a power cut, too; it takes until the disk has it.
pub fn write_record(path: &Path, record: &impl Serialize, lasting: bool) -> Result<()> {
    let temporary = path.with_extension("new");
    let write = || -> Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(&serde_json::to_vec(record)?)?;
        if lasting {
            file.sync_data()?;
        }
        std::fs::rename(&temporary, path)?;
        match path.parent().filter(|_| lasting) {
            Some(directory) => Ok(File::open(directory)?.sync_all()?),
            None => Ok(()),
        }
    };
    write().with_context(|| format!("write {}", path.display()))
}

/// Reads what [`write_record`] wrote.
pub fn read_record<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_directory_that_others_may_write_to_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("state");
        assert!(!check_private(&dir).unwrap());
        private_dir(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        let own = is_your_own_group(fs::metadata(&dir).unwrap().gid());
        for (mode, fine) in [(0o755, true), (0o775, own), (0o1777, false), (0o702, false)] {
            fs::set_permissions(&dir, Permissions::from_mode(mode)).unwrap();
            let checked = check_private(&dir).map_err(|error| error.to_string());
            assert_eq!(checked.is_ok(), fine, "{mode:o}");
            assert!(fine || checked.unwrap_err().ends_with(&format!("chmod go-w {}", dir.display())));
        }
    }

    #[test]
    fn a_group_with_others_in_it_is_not_your_own() {
        let not_mine = if geteuid().is_root() { 1 } else { 0 };
        assert!(!is_your_own_group(not_mine));
        assert!(!is_your_own_group(u32::MAX - 1));
    }

    #[test]
    fn a_symlink_counts_as_what_it_leads_to() {
        let temp = tempfile::tempdir().unwrap();
        let (dir, link) = (temp.path().join("state"), temp.path().join("link"));
        symlink("state", &link).unwrap();
        assert!(check_private(&link).is_err());
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        assert!(check_private(&link).unwrap());
        fs::set_permissions(&dir, Permissions::from_mode(0o777)).unwrap();
        assert!(check_private(&link).is_err());
        fs::write(temp.path().join("file"), "").unwrap();
        assert!(check_private(&temp.path().join("file")).unwrap_err().to_string().contains("is not a directory"));
    }
}
