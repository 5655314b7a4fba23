//! Worlds in which a directory is not what it should be.

use std::path::Path;

use look::kernel::{self, MsFlags};

use super::{as_a_user, found_in};
use crate::doctor::child::{Attempt, in_child, own_mounts};
use crate::doctor::machine::Machine;
use crate::doctor::{directories, overlay};

fn tmpfs(on: &Path, flags: MsFlags, options: &str) -> Attempt {
    as_a_user()?;
    Ok(kernel::mount("tmpfs", on, "tmpfs", flags, options, "a world to change")?)
}

fn at(target: &Path) -> impl Fn(&Machine) -> Machine {
    move |machine| Machine { target: target.to_owned(), ..machine.clone() }
}

#[test]
fn a_target_directory_from_which_nothing_runs() {
    let dir = tempfile::tempdir().unwrap();
    let world = || tmpfs(dir.path(), MsFlags::MS_NOEXEC, "");
    let found = found_in(world, |machine| directories::probe_target(&at(dir.path())(machine)));
    assert_eq!(found.outcome, "Warn", "{found:?}");
    assert!(found.said.contains("EACCES") && found.advice.contains("is mounted noexec"), "{found:?}");
    assert!(found.advice.contains("export CARGO_TARGET_DIR=DIR"), "{found:?}");
}

#[test]
fn a_directory_that_is_read_only() {
    let dir = tempfile::tempdir().unwrap();
    let world = || tmpfs(dir.path(), MsFlags::MS_RDONLY, "");
    let found = found_in(world, |machine| directories::probe_target(&at(dir.path())(machine)));
    assert!(found.said.contains("EROFS") && found.advice.contains("Nothing can be written"), "{found:?}");
}

#[test]
fn a_disk_that_is_nearly_full() {
    let dir = tempfile::tempdir().unwrap();
    let world = || tmpfs(dir.path(), MsFlags::empty(), "size=8m");
    let found = found_in(world, |machine| directories::probe_target(&at(dir.path())(machine)));
    assert_eq!(found.outcome, "Warn", "{found:?}");
    assert!(found.said.ends_with("runs programs, 8 MiB free") || found.said.ends_with("7 MiB free"), "{found:?}");
    assert!(found.advice.contains("cargo clean"), "{found:?}");
}

#[test]
fn an_overlay_where_the_disk_can_hold_one() {
    let dir = tempfile::tempdir().unwrap();
    let found = found_in(as_a_user, |machine| overlay::probe_in(dir.path(), machine));
    assert_eq!(found.outcome, "Ok", "{found:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the scratch directory is gone");
}

#[test]
fn an_overlay_on_an_overlay() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["lower", "upper", "work", "merged"] {
        std::fs::create_dir(dir.path().join(name)).unwrap();
    }
    let world = || {
        as_a_user()?;
        kernel::chdir(dir.path(), "short paths")?;
        let layers = "lowerdir=lower,upperdir=upper,workdir=work,userxattr";
        Ok(kernel::mount("overlay", "merged", "overlay", MsFlags::empty(), layers, "as a container's root is")?)
    };
    let found = found_in(world, |machine| overlay::probe_in(&dir.path().join("merged"), machine));
    // The kernel leaves a directory in there that only its owner can open, and only after a chmod.
    let _ = std::fs::remove_dir(dir.path().join("work/work"));
    assert_eq!(found.outcome, "Warn", "{found:?}");
    assert!(found.said.contains("EINVAL") && found.advice.contains("is itself on an overlay"), "{found:?}");
    assert!(found.advice.contains("Tinbox copies the image instead"), "{found:?}");
    assert!(found.advice.contains("export TINBOX_ROOT=DIR"), "{found:?}");
}

#[test]
fn a_mount_in_a_child_is_not_seen_here() {
    let dir = tempfile::tempdir().unwrap();
    let world = || {
        own_mounts()?;
        kernel::mount("tmpfs", dir.path(), "tmpfs", MsFlags::empty(), "", "to be forgotten")?;
        std::fs::write(dir.path().join("file"), "").map_err(|e| super::super::child::Refusal::io("write", "file", &e))
    };
    in_child(world).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
