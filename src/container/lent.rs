//! Removing what a container wrote as a user that is none of yours.
//!
//! With ids that the administrator lent, files in a container can belong to ids that you are not, and directories of
//! theirs you cannot empty. But root of a user namespace with the same ids can.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::image::users;
use crate::say::say;

/// Removes `directory` with all that is in it, whoever it belongs to.
pub fn remove_tree(directory: &Path) -> Result<()> {
    let failed = || format!("remove {}", directory.display());
    match (images::remove_tree(directory), users::lent()) {
        (Err(_), Some(lent)) => {
            let remove = &mut || match images::remove_tree(directory) {
                Ok(()) => 0,
                Err(error) => {
                    say!("tinbox: {error:#}");
                    1
                }
            };
            match users::in_their_namespace(lent, remove).with_context(failed)? {
                0 => Ok(()),
                status => bail!("{}: as root of the lent ids it failed too, with status {status}", failed()),
            }
        }
        (removed, _) => removed.with_context(failed),
    }
}
