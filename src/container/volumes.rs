//! Directories that the image says are not part of its layers (`VOLUME`).
//!
//! What is written there is data, and not a change of the image: it is not in the container's layer, and so neither in
//! `diff` nor in `commit`. It begins as a copy of what the image has there, and goes with the container. (Chapter 5 has
//! volumes that stay.)

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use chroot::inside::Root;
use images::oci::Config;
use look::Error;
use look::kernel::{self, Target};
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use crate::container::plan::Plan;

/// The paths that `config` names; what cannot be one is refused.
pub fn paths(config: &Config) -> Result<Vec<String>> {
    for path in config.volumes.keys() {
        let parts = || path.split('/').filter(|part| !part.is_empty() && *part != ".");
        let possible = path.starts_with('/') && parts().next().is_some() && parts().all(|part| part != "..");
        ensure!(possible, "the image has the volume {path:?}: its path must be absolute, and not /");
    }
    Ok(config.volumes.keys().cloned().collect())
}

/// Puts a directory of the container's own on each of them. Called inside, once the layers are stacked, and before
/// anything of the machine is mounted on them: what is copied is the image's, whatever path it names.
pub fn furnish(tree: &Root, plan: &Plan) -> Result<()> {
    for (number, path) in plan.volumes.iter().enumerate() {
        let own = plan.directory.join("volumes").join(number.to_string());
        volume(tree, path, &own, plan).with_context(|| format!("the image's volume {path}"))?;
    }
    Ok(())
}

fn volume(tree: &Root, path: &str, own: &Path, plan: &Plan) -> Result<()> {
    let mode = Mode::from_bits_truncate(0o755);
    let point = tree.create_dir_all_told(path, mode, "a directory to mount on");
    let point = point.map_err(|errno| Error::call("openat2", path, errno))?;
    if !own.exists() {
        let above = own.parent().unwrap_or(&plan.directory);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(above).context("make a directory for it")?;
        // With the dot, the link that this is leads on to the directory that is open.
        let images = PathBuf::from(format!("/proc/self/fd/{}/.", point.as_raw_fd()));
        images::flatten(&[images], own).context("copy what the image has there")?;
    }
    let source = Root::new(own)?;
    kernel::bind_on(source.as_fd(), path, target(&point, path), "what is written there is not part of the layer")?;
    // What is there now is another mount.
    let covered = tree.open(path, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty());
    let covered = covered.map_err(|errno| Error::call("openat2", path, errno))?;
    Ok(kernel::mount_no_devices(target(&covered, path), "device nodes in it do not open")?)
}

fn target<'a>(directory: &'a OwnedFd, name: &'a str) -> Target<'a> {
    Target { fd: directory.as_fd(), name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_has_an_absolute_path_below_the_root() {
        let of = |path: &str| {
            let volumes = [(path.to_owned(), serde_json::Value::Null)].into();
            paths(&Config { volumes, ..Config::default() })
        };
        assert_eq!(of("/data/x").unwrap(), ["/data/x"]);
        for bad in ["", "/", "//.", "data", "/data/../..", "/.."] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
