//! Work on files of the ids that an administrator lent.
//!
//! In an image files belong to many users. An ordinary user cannot give files away; root of a user namespace can, to the
//! ids that are lent in `/etc/subuid` and `/etc/subgid`. So whatever unpacks, reads or removes layers does it there. The
//! containers of this user have the same ids, so what is root's in an image is root's in the container.
//!
//! Each function here runs some work, in a process of its own where it must. Call it before there are threads. An error
//! of the work in such a process is said there, and comes back as status 1.
//!
//! | function                 | root                    | user with lent ids             | user without                 |
//! |--------------------------|-------------------------|--------------------------------|------------------------------|
//! | [`as_root_of_lent_ids`]  | in this process         | as root of these               | in this process              |
//! | [`as_a_containers_root`] | in a process of its own | as root of these               | as root of the user's one id |
//! | [`remove_tree`]          | in this process         | as root of these, if need be   | in this process              |

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use look::kernel::{self, CloneFlags};
use namespaces::identity::{self, Identity, Lent};
use nix::unistd::{getegid, geteuid};

use crate::container::channel::Channel;
use crate::say::say;

/// Runs `work` as root of the lent ids, if this process is an ordinary user's and there are any; else here.
pub fn as_root_of_lent_ids(work: &mut dyn FnMut() -> Result<ExitCode>) -> Result<ExitCode> {
    match lent() {
        Some(lent) => in_user_namespace(Some(lent), work).map(ExitCode::from),
        None => work(),
    }
}

/// Runs `work` in a process of its own as who root of this user's containers is: as root, or as root of a user namespace,
/// with the lent ids or else with the user's own.
pub fn as_a_containers_root(work: &mut dyn FnMut() -> Result<ExitCode>) -> Result<ExitCode> {
    if !geteuid().is_root() {
        return in_user_namespace(lent(), work).map(ExitCode::from);
    }
    let mut child = || {
        status_of(&mut || {
            end_with_the_parent()?;
            work()
        })
    };
    Ok(ExitCode::from(namespaces::spawn(CloneFlags::empty(), None, &mut child)?.reap()?))
}

/// Removes `directory` with all that is in it, whoever it belongs to.
pub fn remove_tree(directory: &Path) -> Result<()> {
    let failed = || format!("remove {}", directory.display());
    match (images::remove_tree(directory), lent()) {
        (Err(_), Some(lent)) => {
            let remove = &mut || Ok(images::remove_tree(directory).map(|()| ExitCode::SUCCESS)?);
            match in_user_namespace(Some(lent), remove).with_context(failed)? {
                0 => Ok(()),
                _ => bail!("{}: it failed as root of the lent ids, too", failed()),
            }
        }
        (removed, _) => removed.with_context(failed),
    }
}

/// The ids that are lent to this process's user, if it is an ordinary one.
fn lent() -> Option<Lent> {
    if geteuid().is_root() || identity::is_the_machines_root() { None } else { Lent::to(geteuid().as_raw()) }
}

/// Runs `work` in a process that is root of a new user namespace, in which this user is root, and in which there are the
/// `lent` ids besides. Answers with its status.
fn in_user_namespace(lent: Option<Lent>, work: &mut dyn FnMut() -> Result<ExitCode>) -> Result<u8> {
    let identity = Identity::new((geteuid().as_raw(), getegid().as_raw()), false, lent);
    let (outside, inside) = Channel::pair()?;
    let mut outside = Some(outside);
    let mut child = || {
        drop(outside.take());
        status_of(&mut || {
            end_with_the_parent()?;
            match identity.needs_help() {
                true => inside.wait_for_go()?,
                false => identity.map_self()?,
            }
            work()
        })
    };
    let process = namespaces::spawn(CloneFlags::CLONE_NEWUSER, None, &mut child)?;
    if identity.needs_help() {
        identity.map(process.pid()).inspect_err(|_| process.end())?;
        outside.context("the child alone gives it away")?.send_go()?;
    }
    Ok(process.reap()?)
}

/// In a child.
fn end_with_the_parent() -> look::Result<()> {
    kernel::die_with_parent("it works for this process only")
}

/// In a child: the status of `work`, 0 or 1. An error is said.
fn status_of(work: &mut dyn FnMut() -> Result<ExitCode>) -> u8 {
    let status = match work() {
        Ok(status) => u8::from(status != ExitCode::SUCCESS),
        Err(error) => {
            say!("tinbox: {error:#}");
            1
        }
    };
    // The process ends without dropping anything.
    let _ = std::io::stdout().flush();
    status
}
