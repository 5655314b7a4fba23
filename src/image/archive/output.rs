//! A file that appears when it is complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// Is written under another name in the same directory, and is gone unless it gets its own in the end.
#[derive(Debug)]
pub struct Output {
    file: File,
    path: PathBuf,
    temporary: Option<PathBuf>,
}

impl Output {
    /// Begins to write what is going to be `path`. What is there must be a file, and stays until the end.
    pub fn begin(path: &Path) -> Result<Output> {
        let invalid = || format!("invalid output path: \"{}\"", path.display());
        if let Ok(there) = fs::metadata(path) {
            ensure!(there.is_file(), "{} is there, and is not a regular file", invalid());
        }
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { bail!("{} has no name", invalid()) };
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        ensure!(dir.is_dir(), "{}: directory \"{}\" does not exist", invalid(), dir.display());
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}", std::process::id()));
        let temporary = dir.join(temporary);
        // Left by a process that had this number, or put there for somebody to write through.
        let _ = fs::remove_file(&temporary);
        // What is in an image is for its owner, until they say something else.
        let file = File::options().write(true).create_new(true).mode(0o600).open(&temporary);
        let file = file.with_context(|| format!("make {}", temporary.display()))?;
        Ok(Output { file, path: path.to_owned(), temporary: Some(temporary) })
    }

    /// Lets it appear, when it is on disk.
    pub fn finish(mut self) -> Result<()> {
        self.file.sync_all().with_context(|| format!("write {}", self.path.display()))?;
        if let Some(temporary) = &self.temporary {
            fs::rename(temporary, &self.path).with_context(|| format!("rename to {}", self.path.display()))?;
        }
        self.temporary = None;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // The error that led here matters more.
        self.temporary.take().map(fs::remove_file);
    }
}
