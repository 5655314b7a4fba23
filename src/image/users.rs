//! Working as root of the ids that an administrator lent.
//!
//! In an image files belong to many users. An ordinary user cannot give files away; root of a user namespace can, to the
//! ids that are lent in `/etc/subuid` and `/etc/subgid`. So what unpacks, reads or removes layers does it there.
//! (The containers of this user have the same ids, so what is root's in an image is root's in the container.)

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use colored::Colorize;
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
    let status = in_their_namespace(lent, &mut || match work() {
        Ok(status) => u8::from(status != ExitCode::SUCCESS),
        Err(error) => {
            say!("{} {error:#}", "tinbox:".red());
            1
        }
    })?;
    Ok(ExitCode::from(status))
}

/// Runs `work` in a process that is root of a user namespace with these ids, and answers with its status.
pub fn in_their_namespace(lent: Lent, work: &mut dyn FnMut() -> u8) -> Result<u8> {
    let identity = Identity::new((geteuid().as_raw(), getegid().as_raw()), false, Some(lent));
    let (outside, inside) = Channel::pair()?;
    let mut outside = Some(outside);
    let mut child = || {
        drop(outside.take());
        let ready = kernel::die_with_parent("it works for this process only")
            .map_err(Into::into)
            .and_then(|()| inside.wait_for_go());
        match ready {
            Ok(()) => {
                let status = work();
                // Nothing is dropped when this process ends.
                let _ = std::io::stdout().flush();
                status
            }
            Err(error) => {
                say!("{} {error:#}", "tinbox:".red());
                1
            }
        }
    };
    let process = namespaces::spawn(CloneFlags::CLONE_NEWUSER, None, &mut child)?;
    identity.map(process.pid()).inspect_err(|_| process.end())?;
    outside.context("the child alone gives it away")?.send_go()?;
    Ok(process.reap()?)
}
