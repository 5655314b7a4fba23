//! Directories that the image says are not part of its layers (`VOLUME`).
//!
//! What is written there is data, and not a change of the image: it is not in the container's layer, and so neither in
//! `diff` nor in `commit`. It begins as a copy of what the image has there, and goes with the container. (Chapter 5 has
//! volumes that stay.)

use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use chroot::inside::Root;
use images::oci::Config;
use look::Error;
use look::kernel::{self, Target};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, fstat};

use crate::container::plan::Plan;

/// More than any image has; and each is a copy and two mounts.
const MOST: usize = 128;

/// Where no volume may be: what is there makes the container one.
const KEPT: [&str; 4] = ["/", "/proc", "/sys", "/dev"];

/// The paths that `config` names, each once; what cannot be one is refused.
pub fn paths(config: &Config) -> Result<BTreeSet<String>> {
    let number = config.volumes.len();
    ensure!(number <= MOST, "the image has {number} volumes: a container can have {MOST} at most");
    config.volumes.keys().map(|path| normal(path)).collect()
}

/// `/a/./b//` is `/a/b`.
fn normal(path: &str) -> Result<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    ensure!(
        path.starts_with('/') && !parts.is_empty() && !parts.contains(&".."),
        "the image has the volume {}: its path must be absolute, and not /",
        shown(path)
    );
    Ok(format!("/{}", parts.join("/")))
}

/// Puts a directory of the container's own on each of them. Called inside, once the layers are stacked, and before
/// anything of the machine is mounted on them: what is copied is the image's, whatever path it names.
pub fn furnish(tree: &Root, plan: &Plan) -> Result<()> {
    for (number, path) in plan.volumes.iter().enumerate() {
        let own = plan.directory.join("volumes").join(number.to_string());
        volume(tree, path, &own, plan).with_context(|| format!("the image's volume {}", shown(path)))?;
    }
    Ok(())
}

fn volume(tree: &Root, path: &str, own: &Path, plan: &Plan) -> Result<()> {
    let mode = Mode::from_bits_truncate(0o755);
    let point = tree.create_dir_all_told(path, mode, "a directory to mount on");
    let point = point.map_err(|errno| failed(path, errno))?;
    check_point(tree, &point)?;
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
    let covered = covered.map_err(|errno| failed(path, errno))?;
    Ok(kernel::mount_no_devices(target(&covered, path), "device nodes in it do not open")?)
}

/// Refuses to mount on what the container consists of. The path alone does not tell: it may go through a symlink of the
/// image.
fn check_point(tree: &Root, point: &OwnedFd) -> Result<()> {
    let look = |directory: BorrowedFd<'_>| fstat(directory).map(|found| (found.st_dev, found.st_ino)).context("fstat");
    let wanted = look(point.as_fd())?;
    for kept in KEPT {
        // What the image does not have, its symlinks cannot lead to.
        let Ok(directory) = tree.open_no_symlinks(kept, OFlag::O_PATH, Mode::empty()) else { continue };
        ensure!(look(directory.as_fd())? != wanted, "it leads to {kept}, where no volume can be");
    }
    Ok(())
}

fn failed(path: &str, errno: Errno) -> Error {
    Error::call("openat2", shown(path), errno)
}

fn shown(path: &str) -> String {
    images::shown(path.as_bytes())
}

fn target<'a>(directory: &'a OwnedFd, name: &'a str) -> Target<'a> {
    Target { fd: directory.as_fd(), name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(paths: &[&str]) -> Result<Vec<String>> {
        let volumes = paths.iter().map(|path| ((*path).to_owned(), serde_json::Value::Null)).collect();
        super::paths(&Config { volumes, ..Config::default() }).map(|paths| paths.into_iter().collect())
    }

    #[test]
    fn a_volume_has_an_absolute_path_below_the_root() {
        assert_eq!(of(&["/data/x"]).unwrap(), ["/data/x"]);
        for bad in ["", "/", "//.", "data", "/data/../..", "/.."] {
            assert!(of(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_directory_is_one_volume_however_it_is_written() {
        assert_eq!(of(&["/a", "/a/", "//a/./b", "/a/b"]).unwrap(), ["/a", "/a/b"]);
    }

    #[test]
    fn there_are_not_more_than_a_start_can_bear() {
        let many = |number: usize| (0..number).map(|n| format!("/{n}")).collect::<Vec<_>>();
        let of = |paths: &[String]| of(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(of(&many(128)).unwrap().len(), 128);
        let error = of(&many(129)).unwrap_err().to_string();
        assert_eq!(error, "the image has 129 volumes: a container can have 128 at most");
    }
}
