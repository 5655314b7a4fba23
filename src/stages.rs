//! The steps of a container's start that a learner can write anew.
//!
//! Each chapter owns one seam: a function with a signature that does not change. The runtime starts every
//! container through this table. `Stages::reference()` holds the chapters' own functions; the workshop puts a
//! learner's in their place, and a test can put in one that fails.

use std::path::Path;

use look::Namespaces;
use nix::unistd::Pid;

/// The seams, one function for each.
#[derive(Debug, Clone, Copy)]
pub struct Stages {
    /// Chapter 0: which namespaces a process is in.
    pub namespaces_of: fn(Pid) -> look::Result<Namespaces>,
    /// Chapter 1: makes a directory, with what is mounted below it, the root of this process.
    pub enter_root: fn(&Path) -> look::Result<()>,
}

impl Stages {
    /// The chapters' own functions.
    pub fn reference() -> Stages {
        Stages { namespaces_of: look::namespaces_of, enter_root: chroot::enter_root }
    }
}
