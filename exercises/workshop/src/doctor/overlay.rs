//! Layers: an overlay on the file system that holds Tinbox's images (Documentation/filesystems/overlayfs.rst).
//!
//! An overlay shows the lower directory through the upper one. What is deleted has to be hidden by something in
//! the upper: a file by a *whiteout* (a character device 0:0), a directory that was deleted and made anew by an
//! extended attribute that calls it *opaque*. Not every file system has both, and a mount that succeeds does not
//! prove it. So this probe deletes a file and replaces a directory, and looks.

use std::path::Path;

use look::kernel::{self, MsFlags};
use look::mountinfo::{Mount, mounts_of};
use nix::errno::Errno;
use nix::unistd::Pid;

use super::child::{Attempt, Refusal, in_child, own_mounts};
use super::directories::{Scratch, nearest, state_directory};
use super::finding::{Advice, Finding, Subject};
use super::machine::Machine;
use super::needs::Requirement;
use super::{confinement, mount_namespace};

const SUBJECT: Subject = Subject {
    name: "overlay",
    did: "mounted an overlay in the state directory, deleted a lower file and replaced a lower directory",
    from_chapter: 1,
    serves: None,
};

/// Tries it where Tinbox keeps its images.
pub fn probe(machine: &Machine) -> Finding {
    match state_directory(machine, |name| std::env::var(name).ok()) {
        Some(dir) => probe_in(&nearest(&dir), machine),
        None => SUBJECT.not_known("there is no state directory", Advice::only("See the line on the state directory.")),
    }
}

/// Tries it in `dir`.
pub fn probe_in(dir: &Path, machine: &Machine) -> Finding {
    let fstype = file_system_of(dir);
    let scratch = match Scratch::new(dir) {
        Ok(scratch) => scratch,
        Err(refusal) => return SUBJECT.not_known(refusal, Advice::only("See the line on the state directory.")),
    };
    match attempt(&scratch.path, machine.is_root()) {
        Ok(()) => SUBJECT.ok(format!("mounted on {fstype}, whiteouts and opaque directories work")),
        Err(refusal) => SUBJECT.warn(&refusal, why(&refusal, &fstype, machine)),
    }
}

fn attempt(scratch: &Path, is_root: bool) -> Attempt {
    let made = ["lower/dir", "upper", "work", "merged"];
    made.iter()
        .try_for_each(|dir| std::fs::create_dir_all(scratch.join(dir)))
        .and_then(|()| std::fs::write(scratch.join("lower/file"), "lower"))
        .and_then(|()| std::fs::write(scratch.join("lower/dir/file"), "lower"))
        .map_err(|error| Refusal::io("write", scratch.display().to_string(), &error))?;
    in_child(|| {
        own_mounts()?;
        kernel::chdir(scratch, "short relative paths, in which no comma or colon can stand")?;
        let layers = "lowerdir=lower,upperdir=upper,workdir=work";
        // Only the machine's root may write the attributes that overlay uses otherwise.
        let data = if is_root { layers.to_owned() } else { format!("{layers},userxattr") };
        kernel::mount("overlay", "merged", "overlay", MsFlags::empty(), &data, "layers")?;
        delete_and_replace()
    })
}

fn delete_and_replace() -> Attempt {
    let step = |call: &str, object: &str, done: std::io::Result<()>| {
        done.map_err(|error| Refusal::io(call, format!("{object} in an overlay"), &error))
    };
    step("write", "a lower file", std::fs::write("merged/file", "upper"))?;
    step("unlink", "a lower file", std::fs::remove_file("merged/file"))?;
    step("rmdir", "a lower directory", std::fs::remove_dir_all("merged/dir"))?;
    step("mkdir", "the place of a lower directory", std::fs::create_dir("merged/dir"))?;
    if Path::new("merged/file").exists() {
        return Err(Refusal::wrong("unlink", "a lower file in an overlay", "it is still there"));
    }
    if Path::new("merged/dir/file").exists() {
        return Err(Refusal::wrong("mkdir", "the place of a lower directory in an overlay", "it is not empty"));
    }
    if std::fs::read_to_string("lower/file").is_ok_and(|text| text == "lower") {
        return Ok(());
    }
    Err(Refusal::wrong("unlink", "a lower file in an overlay", "the lower directory was changed"))
}

const IN_MEMORY: &str = "mounted an overlay on a tmpfs, as the stand-in machine of the exercises has it";

/// Mounts one in the mount namespace that this process is in, wherever the state directory is.
pub fn stack_in_memory() -> Attempt {
    kernel::mount("tmpfs", "/tmp", "tmpfs", MsFlags::MS_NOSUID, "size=64k", "a place for layers")?;
    kernel::chdir("/tmp", "to it")?;
    for dir in ["lower", "upper", "work", "merged"] {
        std::fs::create_dir(dir).map_err(|error| Refusal::io("mkdir", dir, &error))?;
    }
    let layers = "lowerdir=lower,upperdir=upper,workdir=work,userxattr";
    Ok(kernel::mount("overlay", "merged", "overlay", MsFlags::empty(), layers, "layers")?)
}

/// Tries that.
pub fn probe_in_memory(machine: &Machine) -> Finding {
    Requirement::Overlays.probe(IN_MEMORY, "mounted on a tmpfs", machine)
}

/// What stands in the way of it.
pub fn why_not_in_memory(refusal: &Refusal, machine: &Machine) -> Advice {
    if !(refusal.call == "mount" && refusal.object.contains("overlay")) {
        return mount_namespace::why(refusal, machine);
    }
    let other = "This answer is not among those that the kernel's overlayfs.rst speaks of; `dmesg` may say more.";
    cause(refusal, machine).unwrap_or_else(|| Advice::only(other))
}

/// The type of the file system that `dir` is on, from the mount table.
fn file_system_of(dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let mounts = mounts_of(Pid::this()).unwrap_or_default();
    type_for(&mounts, &dir).unwrap_or("an unknown file system").to_owned()
}

/// The mount with the longest path that `dir` is below; of several on one path the last, which covers the others.
fn type_for<'a>(mounts: &'a [Mount], dir: &Path) -> Option<&'a str> {
    let above = mounts.iter().filter(|mount| dir.starts_with(&mount.target));
    above.max_by_key(|mount| mount.target.len()).map(|mount| mount.fstype.as_str())
}

/// What stands in the way: the kernel's age, a missing module, the file system, or somebody who forbids it.
fn why(refusal: &Refusal, fstype: &str, machine: &Machine) -> Advice {
    let instead = "Tinbox copies the image instead: that works, but starts slower and takes more space.";
    let mounting = refusal.call == "mount" && refusal.object.contains("overlay");
    if !mounting && matches!(refusal.call.as_str(), "mount" | "unshare") || refusal.call.starts_with("write ") {
        return mount_namespace::why(refusal, machine);
    }
    let mut advice = cause(refusal, machine)
        .filter(|_| mounting || refusal.errno() == Some(Errno::ENODEV))
        .unwrap_or_else(|| unsuitable(fstype, machine));
    advice.means = format!("{} {instead}", advice.means);
    advice
}

/// Why the kernel mounts no overlay, whatever it is on.
fn cause(refusal: &Refusal, machine: &Machine) -> Option<Advice> {
    match refusal.errno()? {
        Errno::ENODEV => Some(Advice::new(
            "The kernel has no overlay, or has not loaded it.",
            [
                "sudo modprobe overlay",
                "# and at every boot:",
                "echo overlay | sudo tee /etc/modules-load.d/overlay.conf",
            ],
        )),
        Errno::EPERM | Errno::EINVAL if !machine.is_root() && machine.is_older_than(5, 11) => Some(Advice::new(
            format!("Ordinary users may mount an overlay since Linux 5.11; this is {}.", machine.release),
            machine.os.newer_kernel(),
        )),
        Errno::EPERM | Errno::EACCES => Some(confinement::explain(machine, true)),
        _ => None,
    }
}

/// Why this file system does not serve.
fn unsuitable(fstype: &str, machine: &Machine) -> Advice {
    let means = match fstype {
        "overlay" => "The state directory is itself on an overlay, as the root of a container is, and an overlay \
                      cannot be the upper layer of another."
            .to_owned(),
        other => format!(
            "The state directory is on {other}, which cannot hold what marks files as deleted and directories as replaced."
        ),
    };
    let volume = machine.engine.is_some() && machine.is_root();
    let fix = if volume {
        "# start this container with a volume there, such as:  docker run -v tinbox:/var/lib/tinbox …"
    } else {
        "export TINBOX_ROOT=DIR   # DIR yours, and on ext4, xfs or btrfs"
    };
    Advice::new(means, [fix])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(call: &str, errno: Errno, fstype: &str, machine: &Machine) -> String {
        let advice = why(&Refusal::new(call, "overlay on merged", errno), fstype, machine);
        format!("{}\n{}", advice.means, advice.fix.join("\n"))
    }

    fn user(release: &str) -> Machine {
        Machine { uid: 1000, release: release.into(), ..Machine::default() }
    }

    #[test]
    fn each_answer_has_its_cause() {
        for (call, errno, fstype, machine, expected) in [
            ("mount", Errno::ENODEV, "ext4", user("6.1.0"), "sudo modprobe overlay"),
            ("mount", Errno::EPERM, "ext4", user("5.4.0-1-generic"), "since Linux 5.11; this is 5.4.0-1-generic"),
            ("mount", Errno::EINVAL, "ext4", user("5.10.0"), "since Linux 5.11"),
            ("mount", Errno::EINVAL, "overlay", user("6.1.0"), "itself on an overlay"),
            ("mount", Errno::EINVAL, "nfs4", user("6.1.0"), "The state directory is on nfs4"),
            ("mount", Errno::EINVAL, "9p", user("6.1.0"), "export TINBOX_ROOT=DIR"),
            ("mkdir", Errno::EIO, "tmpfs", user("6.1.0"), "The state directory is on tmpfs"),
            ("mount", Errno::EPERM, "ext4", Machine { seccomp: true, ..user("6.1.0") }, "A seccomp filter"),
        ] {
            let told = told(call, errno, fstype, &machine);
            assert!(told.contains(expected), "{call} {errno} on {fstype} should tell {expected:?}, but tells:\n{told}");
            assert!(told.contains("Tinbox copies the image instead"), "{told}");
        }
    }

    #[test]
    fn what_exercises_need_has_its_cause_too() {
        for (errno, machine, expected) in [
            (Errno::ENODEV, user("6.1.0"), "sudo modprobe overlay"),
            (Errno::EPERM, user("5.4.0"), "since Linux 5.11; this is 5.4.0"),
            (Errno::EPERM, Machine { seccomp: true, ..user("6.1.0") }, "A seccomp filter"),
            (Errno::EIO, user("6.1.0"), "`dmesg` may say more"),
        ] {
            let advice = why_not_in_memory(&Refusal::new("mount", "overlay on merged", errno), &machine);
            let told = format!("{}\n{}", advice.means, advice.fix.join("\n"));
            assert!(told.contains(expected) && !told.contains("copies the image"), "{errno}: {told}");
        }
    }

    #[test]
    fn the_nearest_mount_decides() {
        let mount = |target: &str, fstype: &str| Mount {
            id: 1,
            parent: 1,
            root: "/".into(),
            target: target.into(),
            fstype: fstype.into(),
            source: "x".into(),
            options: vec![],
            propagation: vec![],
        };
        let mounts = [mount("/", "ext4"), mount("/home", "nfs4"), mount("/home", "xfs"), mount("/hom", "vfat")];
        assert_eq!(type_for(&mounts, Path::new("/home/me")), Some("xfs"));
        assert_eq!(type_for(&mounts, Path::new("/homeless")), Some("ext4"));
    }
}
