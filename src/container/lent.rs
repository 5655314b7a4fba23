//! Removing what a container wrote as a user that is none of yours.
//!
//! With ids that the administrator lent, files in a container can belong to ids that you are not, and directories of
//! theirs you cannot empty. But root of a user namespace with the same ids can.

use std::path::Path;

use anyhow::{Context, Result, bail};
use look::kernel::{self, CloneFlags};
use namespaces::identity::{self, Identity, Lent};
use nix::unistd::{getegid, geteuid};

use crate::container::channel::Channel;
use crate::images;
use crate::say::say;

/// Removes `directory` with all that is in it, whoever it belongs to.
pub fn remove_tree(directory: &Path) -> Result<()> {
    let failed = || format!("remove {}", directory.display());
    match (images::remove_tree(directory), lent()) {
        (Err(_), Some(lent)) => as_their_root(lent, &mut || Ok(images::remove_tree(directory)?)).with_context(failed),
        (removed, _) => removed.with_context(failed),
    }
}

fn lent() -> Option<Lent> {
    if identity::is_the_machines_root() { None } else { Lent::to(geteuid().as_raw()) }
}

/// Runs `work` in a process that is root of a user namespace with these ids.
fn as_their_root(lent: Lent, work: &mut dyn FnMut() -> Result<()>) -> Result<()> {
    let identity = Identity::new((geteuid().as_raw(), getegid().as_raw()), false, Some(lent));
    let (outside, inside) = Channel::pair()?;
    let mut child = || {
        let done = kernel::die_with_parent("it works for this process only")
            .map_err(Into::into)
            .and_then(|()| inside.wait_for_go())
            .and_then(|()| work());
        u8::from(done.inspect_err(|error| say!("tinbox: {error:#}")).is_err())
    };
    let process = namespaces::spawn(CloneFlags::CLONE_NEWUSER, None, &mut child)?;
    identity.map(process.pid()).inspect_err(|_| process.end())?;
    outside.send_go()?;
    match process.reap()? {
        0 => Ok(()),
        status => bail!("as root of the lent ids it failed too, with status {status}"),
    }
}
