//! What a container changed: its upper directory, entry by entry.
//!
//! - [`walk`](TreeWalk): all that there is to tell of an upper directory, a whole tree, or a copy and its original;
//! - `walker`: the way through a tree that somebody may be changing;
//! - `node`: what one file is, and how it is opened;
//! - `notes`: overlayfs' notes of what the upper directory hides;
//! - `compared`: the changes of a copy, which has no such notes;
//! - [`lower`](Lower): what the layers below have;
//! - [`differences`]: all of it told by paths, as `docker diff` does.

mod compared;
mod differences;
mod links;
mod lower;
mod node;
mod notes;
#[cfg(test)]
mod tests;
mod walk;
mod walker;

pub use differences::{Change, ChangeKind, differences};
pub use lower::Lower;
pub use walk::{Entry, TreeWalk};

use look::Error;
use nix::errno::Errno;

fn failed(call: &'static str) -> impl FnOnce(Errno) -> anyhow::Error {
    move |errno| Error::call(call, "it", errno).into()
}
