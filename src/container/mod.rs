//! A container's life.
//!
//! | file            | what it is about                                                       |
//! |-----------------|------------------------------------------------------------------------|
//! | `plan.rs`       | what an image and the options come to, checked before anything is done |
//! | `record.rs`     | what is written down about a container                                 |
//! | `names.rs`      | its name                                                               |
//! | `lease.rs`      | who looks after it                                                     |
//! | `registry.rs`   | all of them: to list, to find, to remove                               |
//! | `start.rs`      | the stages of a start, in order: **begin here**                        |
//! | `root.rs`       | the file system: the image, with a layer of its own on top             |
//! | `devices.rs`    | `/proc`, `/sys` and `/dev`                                             |
//! | `user.rs`       | who a name is, asked of the image                                      |
//! | `privileges.rs` | what root in a container may not                                       |
//! | `execute.rs`    | from a command to a program                                            |
//! | `channel.rs`    | what the process inside sends out before it becomes the command        |
//! | `process.rs`    | a process, by a descriptor that cannot come to mean another one        |
//! | `stdio.rs`      | pipes or a terminal between you and the container                      |
//! | `terminal.rs`   | your own terminal, while the container's is shown in it                |
//! | `relay.rs`      | bytes from one descriptor to another                                   |
//! | `supervise.rs`  | the time until it ends: input, output, signals, exit status            |

mod channel;
mod devices;
mod execute;
mod lease;
mod names;
mod plan;
mod privileges;
mod process;
mod record;
mod registry;
mod relay;
mod root;
mod start;
mod stdio;
mod supervise;
mod terminal;
mod user;

pub use plan::Options;
pub use record::{Container, Ended, Life, Record, now};
pub use registry::{all, remove};

use anyhow::Result;

use crate::Stages;
use crate::images::{Image, Name};
use crate::state::State;
use plan::Plan;

/// Runs a new container of `image` in the foreground.
///
/// Answers with the status for whoever called `tinbox`: that of the command, 128 + n if signal n ended it, 126 if
/// it could not be run, 127 if it was not found. An error is Tinbox's own, and leaves no container behind.
pub fn run(state: &State, image: &Image, name: &Name, options: &Options, stages: &Stages) -> Result<u8> {
    registry::reconcile(state)?;
    let container = Container::create(state, image, name, options)?;
    let outcome = Plan::new(state, image, options, &container).and_then(|plan| live(&plan, &container, stages));
    match outcome {
        Ok(status) if options.remove => container.remove().map(|()| status),
        Ok(status) => container.ended(status).map(|()| status),
        Err(error) => {
            container.remove()?;
            Err(error)
        }
    }
}

/// From the start to the exit status.
fn live(plan: &Plan, container: &Container, stages: &Stages) -> Result<u8> {
    match start::start(plan, stages)? {
        start::Started::Running(mut running) => {
            let status = container.runs_as(running.pid).and_then(|()| supervise::supervise(&mut running));
            status.inspect_err(|_| running.process.end())
        }
        start::Started::Failed(failure) => {
            eprintln!("tinbox: {}", failure.message);
            Ok(failure.status)
        }
    }
}
