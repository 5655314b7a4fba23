//! The steps of a container's start that a learner can write anew.
//!
//! They are the chapters' seams: functions whose signatures do not change. The runtime starts every container through
//! this table. `Stages::reference()` holds the chapters' own functions; the workshop puts a learner's in their place, and
//! a test can put in one that fails.

use std::os::fd::BorrowedFd;
use std::path::Path;

use cgroups::{Limits, Setting};
use chroot::inside::Root;
use images::{Layer, LayerWriter, Overlay, Tree, TreeWalk};
use look::Namespaces;
use look::kernel::CloneFlags;
use namespaces::Process;
use nix::unistd::Pid;
use sandbox::Privileges;

/// The seams, each with the chapter that it belongs to.
#[allow(clippy::type_complexity, reason = "the signatures are what a reader looks for here")]
#[derive(Debug, Clone, Copy)]
pub struct Stages {
    /// Chapter 0: which namespaces a process is in.
    pub namespaces_of: fn(Pid) -> look::Result<Namespaces>,
    /// Chapter 1: makes a directory, with what is mounted below it, the root of this process.
    pub enter_root: fn(&Path) -> look::Result<()>,
    /// Chapter 2: starts a process in new namespaces, perhaps in a cgroup.
    pub spawn: fn(CloneFlags, Option<BorrowedFd<'_>>, &mut dyn FnMut() -> u8) -> look::Result<Process>,
    /// Chapter 2: what an init does when children have ended.
    pub reap: fn(Pid) -> look::Result<Option<u8>>,
    /// Chapter 3: which files of cgroup v2 say what the limits say.
    pub settings: fn(&Limits) -> Vec<Setting>,
    /// Chapter 4: lays a layer out as a tree.
    pub apply_layer: fn(&mut Layer<'_>, &mut Tree) -> anyhow::Result<()>,
    /// Chapter 4: shows an image's layers as one tree.
    pub stack: fn(&Overlay, &Path) -> look::Result<()>,
    /// Chapter 4: makes a layer of what was changed.
    pub make_layer: fn(&mut TreeWalk, &mut LayerWriter<'_>) -> anyhow::Result<()>,
    /// Chapter 8: hides a path.
    pub mask: fn(&Root, &str) -> look::Result<()>,
    /// Chapter 8: gives away what root could do.
    pub drop_privileges: fn(&Privileges) -> look::Result<()>,
}

impl Stages {
    /// The chapters' own functions.
    pub fn reference() -> Stages {
        Stages {
            namespaces_of: look::namespaces_of,
            enter_root: chroot::enter_root,
            spawn: namespaces::spawn,
            reap: namespaces::reap,
            settings: cgroups::settings,
            apply_layer: images::apply_layer,
            stack: images::stack,
            make_layer: images::make_layer,
            mask: sandbox::mask,
            drop_privileges: sandbox::drop_privileges,
        }
    }
}
