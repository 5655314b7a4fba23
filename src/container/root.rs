//! The file system of a container: the image, with a layer of its own on top.
//!
//! overlayfs shows a writable directory over a read-only one. The image's tree is shared by all its containers
//! and never written to; what a container writes goes to `upper` in its own directory. Chapter 4 tells how that
//! works. Where overlay cannot be mounted (an old kernel, or a state directory that is itself on overlayfs), the
//! container gets a copy of the image's tree: slower, and the same to look at.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::{Context, Result};
use look::kernel::{self, MsFlags};

use crate::container::plan::Plan;
use crate::images;
use crate::say::say;

/// Makes the directories that a container writes to.
pub fn prepare(directory: &Path) -> Result<()> {
    for (dir, mode) in [("", 0o700), ("upper", 0o755), ("work", 0o700)] {
        let dir = directory.join(dir);
        let make = std::fs::DirBuilder::new().mode(mode).create(&dir);
        make.with_context(|| format!("make the directory {}", dir.display()))?;
    }
    Ok(())
}

/// Puts the container's root on the mount point. Called inside, in the container's own mount namespace.
pub fn mount(plan: &Plan) -> Result<()> {
    let quiet = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    kernel::mount("", "/", "", quiet, "", "nothing mounted from here on reaches the host")?;
    let why = "the image below, read-only, and a layer for what this container writes";
    match kernel::mount("overlay", &plan.mount_point, "overlay", device_nodes(plan), &overlay_options(plan), why) {
        Ok(()) => Ok(()),
        Err(error) => {
            say!("tinbox: overlay does not work here, so the image is copied, which takes longer: {error}");
            copy(plan)
        }
    }
}

/// A device node that came with the image must not open the machine's disk, even where a list says which may be used.
fn device_nodes(plan: &Plan) -> MsFlags {
    if plan.sandbox.nodes_anywhere() { MsFlags::empty() } else { MsFlags::MS_NODEV }
}

/// What the kernel's Documentation/filesystems/overlayfs.rst calls the layers, and how they are kept.
fn overlay_options(plan: &Plan) -> String {
    let layer = |path: &Path| path.to_string_lossy().replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,");
    let mut options = format!(
        "lowerdir={},upperdir={},workdir={}",
        layer(&plan.image_root),
        layer(&plan.directory.join("upper")),
        layer(&plan.directory.join("work")),
    );
    if plan.sharing.rootless {
        // An ordinary user may not set the trusted.* attributes in which overlay keeps its notes.
        options.push_str(",userxattr");
    }
    if plan.throw_away {
        // What is thrown away need not reach the disk first.
        options.push_str(",volatile");
    }
    options
}

fn copy(plan: &Plan) -> Result<()> {
    let tree = plan.directory.join("copy");
    images::copy_tree(&plan.image_root, &tree)
        .with_context(|| format!("copy {} to {}", plan.image_root.display(), tree.display()))?;
    kernel::mount(&tree, &plan.mount_point, "", MsFlags::MS_BIND, "", "the container's copy of the image")?;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | device_nodes(plan);
    Ok(kernel::mount("", &plan.mount_point, "", flags, "", "device nodes of the image do not open")?)
}
