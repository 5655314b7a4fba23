//! # Tinbox: the finished runtime
//!
//! The chapters put together, and a container's life. Whatever a chapter explains is called from here, not
//! written again; what no chapter explains (the command line, the store, the relay between your terminal and
//! the container) is here.
//!
//! # Layout
//!
//! - [`cli`]: one file per verb of the command line, all of the same shape.
//! - [`container`]: a container's life. `container/start.rs` is the place to begin: one function names the stages
//!   of a start in order, and each is a call into a chapter.
//! - [`image`]: where images come from and go.
//! - [`registry`]: how to get them from afar, and to give them.
//! - [`lent_ids`]: working as root of the ids that an administrator lent.
//! - [`progress`]: telling how far long work is.
//! - [`stages`]: the table of the steps that a learner can write anew.
//! - [`state`]: where everything is kept.

pub mod cli;
pub mod container;
mod duration;
pub mod image;
pub mod lent_ids;
mod parallel;
pub mod progress;
pub mod registry;
mod say;
pub mod stages;
pub mod state;
mod text;

pub use stages::Stages;

use std::process::ExitCode;

/// Runs the command line of this process with `stages` as the steps of a container's start.
pub fn main_with(stages: &Stages) -> ExitCode {
    cli::main(stages)
}
