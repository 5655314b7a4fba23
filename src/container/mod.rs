//! A container's life.
//!
//! | file             | what it is about                                                        |
//! |------------------|-------------------------------------------------------------------------|
//! | `options.rs`     | what was asked for                                                      |
//! | `config.rs`      | what an image's config and the options come to                          |
//! | `plan.rs`        | what that means for a start, checked before anything is done            |
//! | `record.rs`      | what is written down about a container                                  |
//! | `names.rs`       | its name                                                                |
//! | `lease.rs`       | who looks after it                                                      |
//! | `list.rs`        | all of them: to list, to find, to remove                                |
//! | `start.rs`       | the stages of a start, in order: **begin here**                         |
//! | `sharing.rs`     | which namespaces it has of its own (chapter 2)                          |
//! | `root.rs`        | the file system: the image, with a layer of its own on top              |
//! | `user.rs`        | whom the command runs as                                                |
//! | `resolver.rs`    | how it finds names: `/etc/hostname`, `/etc/hosts`, `/etc/resolv.conf`   |
//! | `volumes.rs`     | directories that the image says are not part of its layers              |
//! | `confinement/`   | what it may do (chapter 8)                                              |
//! | `execute.rs`     | from a command to a program                                             |
//! | `channel.rs`     | what the two sides of a start say to each other                         |
//! | `stdio.rs`       | pipes or a terminal between you and the container                       |
//! | `terminal.rs`    | your own terminal, while the container's is shown in it                 |
//! | `relay.rs`       | bytes from one descriptor to another                                    |
//! | `signals.rs`     | which signals end a start, and which are passed on                      |
//! | `supervise.rs`   | the time until it ends: input, output, signals, exit status             |

pub mod channel;
mod config;
mod confinement;
mod execute;
mod lease;
mod list;
mod names;
mod options;
mod plan;
mod record;
mod relay;
mod resolver;
mod root;
mod sharing;
mod signals;
mod start;
mod stdio;
mod supervise;
mod terminal;
mod user;
mod volumes;

pub use list::{NoSuch, all, find, find_running, remove};
pub use options::{AppArmor, Confinement, Mode, Options, Seccomp, Wanted};
pub use record::{Container, Ended, Life, Record, now};

use anyhow::{Result, bail};
use cgroups::Group;
use images::store::SharedLock;
use images::{Image, Store};
use look::tell;

use crate::Stages;
use crate::say::say;
use crate::state::State;
use plan::Plan;
use signals::Interrupted;

/// Where a container comes from.
#[derive(Debug)]
pub struct Source<'a> {
    /// The store.
    pub store: &'a Store,
    /// The image in it.
    pub image: &'a Image,
    /// What it was called.
    pub name: &'a str,
    /// Keeps it there until the container is written down.
    pub hold: SharedLock,
}

/// Runs a new container of an image in the foreground.
///
/// Answers with the status for whoever called `tinbox`: that of the command, 128 + n if signal n ended it, 126 if
/// it could not be run, 127 if it was not found. A signal that ends the start counts as one that ended the command, and
/// an error is Tinbox's own; both leave no container behind.
pub fn run(state: &State, from: Source<'_>, options: &Options, stages: &Stages) -> Result<u8> {
    if options.shows_our_program() {
        sandbox::shim::run_sealed()?;
    }
    list::reconcile(state)?;
    let config = config::effective(&from.image.config.config, options)?;
    let container = Container::create(state, &from, &config, options)?;
    let layers = from.store.trees(from.image);
    // From here on the record keeps the image.
    drop(from);
    let outcome =
        Plan::new(state, layers, &config, options, &container).and_then(|plan| live(&plan, &container, stages));
    match outcome {
        Ok(ended) if options.remove => container.remove().map(|()| ended.status),
        Ok(ended) => container.ended(ended).map(|()| ended.status),
        Err(error) => {
            container.remove()?;
            let interrupted = error.downcast::<Interrupted>()?;
            say!("tinbox: {interrupted}");
            Ok(interrupted.status())
        }
    }
}

/// The status of Tinbox's own errors, as `docker run` has it: it is none of the container's.
pub const OWN_ERROR: u8 = 125;

/// The status of who was ended by SIGKILL.
const KILLED: u8 = 128 + 9;

/// From the start to the end, in cgroups of its own.
fn live(plan: &Plan, container: &Container, stages: &Stages) -> Result<Ended> {
    let rules = plan.sandbox.device_rules.as_deref();
    let group = tell::chapter(3, || Group::create(&plan.id, &plan.limits, rules, stages.settings))?;
    let outcome = watch(plan, container, group.as_ref(), stages);
    let killed = group.as_ref().is_some_and(|group| group.oom_kills() > 0);
    if let Some(group) = group {
        // What it started may still be there if its processes are somebody else's, too.
        tell::chapter(3, || group.kill().and_then(|()| group.remove()))?;
    }
    let status = outcome?;
    if killed && status == KILLED {
        say!("tinbox: out of memory: the kernel killed the command, whose container may use no more");
    }
    Ok(Ended { status, at: now(), out_of_memory: killed })
}

fn watch(plan: &Plan, container: &Container, group: Option<&Group>, stages: &Stages) -> Result<u8> {
    match start::start(plan, container, group, stages)? {
        start::Started::Running(mut running) => {
            container.runs_as(running.process.pid()).inspect_err(|_| running.process.end())?;
            Ok(supervise::supervise(&mut running).unwrap_or_else(|error| {
                // It has run, so it has ended, and is not to be undone.
                running.process.end();
                say!("tinbox: {error:#}");
                OWN_ERROR
            }))
        }
        // Not the command's doing: what was asked for cannot be.
        start::Started::Failed(failure) if failure.status == OWN_ERROR => bail!(failure.message),
        start::Started::Failed(failure) => {
            say!("tinbox: {}", failure.message);
            Ok(failure.status)
        }
    }
}
