//! The file system of a container: the image, with a layer of its own on top.
//!
//! overlayfs shows a writable directory over a read-only one. The image's tree is shared by all its containers
//! and never written to; what a container writes goes to `upper` in its own directory. Chapter 4 tells how that
//! works. Where overlay cannot be mounted (an old kernel, or a state directory that is itself on overlayfs), the
//! container gets a copy of the image's tree: slower, and the same to look at.

use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::{Context, Result};
use chroot::inside::Root;
use images::Overlay;
use look::kernel::{self, MsFlags, Target};

use crate::Stages;
use crate::container::plan::Plan;
use crate::say::say;

/// Makes the directories that a container writes to.
pub fn prepare(directory: &Path) -> Result<()> {
    for (dir, mode) in [("", 0o700), ("upper", 0o755), ("work", 0o700), ("nothing", 0o755)] {
        let dir = directory.join(dir);
        let make = std::fs::DirBuilder::new().mode(mode).create(&dir);
        make.with_context(|| format!("make the directory {}", dir.display()))?;
    }
    Ok(())
}

/// Puts the container's root on the mount point. Called inside, in the container's own mount namespace.
pub fn mount(plan: &Plan, stages: &Stages) -> Result<()> {
    let quiet = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    kernel::mount("", "/", "", quiet, "", "nothing mounted from here on reaches the host")?;
    let overlay = overlay(plan);
    match overlay.mount(&plan.mount_point, stages.stack) {
        Ok(()) => Ok(()),
        Err(error) => {
            overlay.check_layers()?;
            say!("tinbox: overlay does not work here, so the image is copied, which takes longer: {error}");
            copy(plan)
        }
    }
}

/// A device node that came with the image must not open the machine's disk, even where a list says which may be used.
fn device_nodes(plan: &Plan) -> MsFlags {
    if plan.sandbox.nodes_anywhere() { MsFlags::empty() } else { MsFlags::MS_NODEV }
}

/// The image's layers, and the container's own on top.
fn overlay(plan: &Plan) -> Overlay {
    // What is renamed or changed is copied whole, so that a layer can be made of the upper directory alone.
    let mut more = vec!["redirect_dir=off", "metacopy=off"];
    if plan.sharing.rootless {
        // An ordinary user may not set the trusted.* attributes in which overlay keeps its notes.
        more = vec!["userxattr"];
    }
    if plan.throw_away {
        // What is thrown away need not reach the disk first.
        more.push("volatile");
    }
    let mut layers = plan.layers.clone();
    if layers.is_empty() {
        // An image of nothing still needs something to lie on.
        layers.push(plan.directory.join("nothing"));
    }
    let (upper, work) = (plan.directory.join("upper"), plan.directory.join("work"));
    Overlay { layers, upper, work, more, flags: device_nodes(plan) }
}

fn copy(plan: &Plan) -> Result<()> {
    let tree = plan.directory.join("copy");
    images::flatten(&plan.layers, &tree).with_context(|| format!("copy the image to {}", tree.display()))?;
    kernel::mount(&tree, &plan.mount_point, "", MsFlags::MS_BIND, "", "the container's copy of the image")?;
    if device_nodes(plan).is_empty() {
        return Ok(());
    }
    let (copy, name) = (Root::new(&plan.mount_point)?, plan.mount_point.to_string_lossy());
    let target = Target { fd: copy.as_fd(), name: &name };
    Ok(kernel::mount_no_devices(target, "device nodes of the image do not open")?)
}
