//! Working as root of the ids that an administrator lent.
//!
//! In an image files belong to many users. An ordinary user cannot give files away; root of a user namespace can, to the
//! ids that are lent in `/etc/subuid` and `/etc/subgid`. So what unpacks, reads or removes layers does it there.
//! (The containers of this user have the same ids, so what is root's in an image is root's in the container.)

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use look::kernel::{self, CloneFlags};
use namespaces::identity::{self, Identity, Lent};
use nix::unistd::{getegid, geteuid};

use crate::container::channel::Channel;
use crate::say::say;

/// The ids that are lent to this process's user, if it is an ordinary one.
pub fn lent() -> Option<Lent> {
    if geteuid().is_root() || identity::is_the_machines_root() { None } else { Lent::to(geteuid().as_raw()) }
}

/// Runs `work` as root of the lent ids, in a process of its own; where there are none, as who this is. An error in that
/// process is said there, and is a failure here. Call it before there are threads.
pub fn as_root_of_lent_ids(work: &mut dyn FnMut() -> Result<ExitCode>) -> Result<ExitCode> {
    let Some(lent) = lent() else { return work() };
    Ok(ExitCode::from(in_their_namespace(lent, &mut || told(work))?))
}

/// Runs `work` in a process of its own, which has the same ids as the files of a container: as root, or as root of a user
/// namespace with the ids that are lent, or with the user's own if there are none. Errors as with
/// [`as_root_of_lent_ids`].
pub fn as_a_containers_root(work: &mut dyn FnMut() -> Result<ExitCode>) -> Result<ExitCode> {
    let status = match geteuid().is_root() {
        true => {
            let mut child = || match kernel::die_with_parent("it works for this process only") {
                Ok(()) => told(work),
                Err(error) => told(&mut || Err(error.clone().into())),
            };
            namespaces::spawn(CloneFlags::empty(), None, &mut child)?.reap()?
        }
        false => in_a_namespace(lent(), &mut || told(work))?,
    };
    Ok(ExitCode::from(status))
}

/// The status of `work`. An error is said.
fn told(work: &mut dyn FnMut() -> Result<ExitCode>) -> u8 {
    match work() {
        Ok(status) => u8::from(status != ExitCode::SUCCESS),
        Err(error) => {
            say!("tinbox: {error:#}");
            1
        }
    }
}

/// Runs `work` in a process that is root of a user namespace with these ids, and answers with its status.
pub fn in_their_namespace(lent: Lent, work: &mut dyn FnMut() -> u8) -> Result<u8> {
    in_a_namespace(Some(lent), work)
}

fn in_a_namespace(lent: Option<Lent>, work: &mut dyn FnMut() -> u8) -> Result<u8> {
    let identity = Identity::new((geteuid().as_raw(), getegid().as_raw()), false, lent);
    let (outside, inside) = Channel::pair()?;
    let mut outside = Some(outside);
    let mut child = || {
        drop(outside.take());
        let ready = kernel::die_with_parent("it works for this process only")
            .map_err(Into::into)
            .and_then(|()| if identity.needs_help() { inside.wait_for_go() } else { Ok(identity.map_self()?) });
        match ready {
            Ok(()) => {
                let status = work();
                // Nothing is dropped when this process ends.
                let _ = std::io::stdout().flush();
                status
            }
            Err(error) => {
                say!("tinbox: {error:#}");
                1
            }
        }
    };
    let process = namespaces::spawn(CloneFlags::CLONE_NEWUSER, None, &mut child)?;
    if identity.needs_help() {
        identity.map(process.pid()).inspect_err(|_| process.end())?;
        outside.context("the child alone gives it away")?.send_go()?;
    }
    Ok(process.reap()?)
}

/// Removes `directory` with all that is in it, whoever it belongs to.
pub fn remove_tree(directory: &Path) -> Result<()> {
    let failed = || format!("remove {}", directory.display());
    match (images::remove_tree(directory), lent()) {
        (Err(_), Some(lent)) => {
            let remove = &mut || match images::remove_tree(directory) {
                Ok(()) => 0,
                Err(error) => {
                    say!("tinbox: {error:#}");
                    1
                }
            };
            match in_their_namespace(lent, remove).with_context(failed)? {
                0 => Ok(()),
                status => bail!("{}: as root of the lent ids it failed too, with status {status}", failed()),
            }
        }
        (removed, _) => removed.with_context(failed),
    }
}
