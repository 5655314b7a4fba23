//! Files of the store that are replaced: whoever reads one finds the old or the new, and nothing between them.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anyhow::Result;
use look::Error;
use nix::errno::Errno;

use crate::failed_io;

/// Writes `bytes` to the file `path`, by way of the file `new` on the same file system, which nobody else may use
/// meanwhile. What is in it is on disk then; that it is called `path` is once its directory was synced.
pub(super) fn replace_file(path: &Path, new: &Path, bytes: &[u8]) -> look::Result<()> {
    let write = || -> io::Result<()> {
        // One that is there was left by somebody who was killed.
        match fs::remove_file(new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // A symlink in its place is not followed, as the file must be new.
        let mut file = File::create_new(new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(new, path)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(new);
        failed_io("write", path)(error)
    })
}

/// Has on disk which files are in the directory `path`.
pub(super) fn sync_dir(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(failed_io("fsync", path))?;
    Ok(())
}

/// Whether it failed because there is no room: no block, no inode, or no more of either for this user.
pub(super) fn is_full(error: &Error) -> bool {
    matches!(error.errno(), Some(Errno::ENOSPC | Errno::EDQUOT))
}
