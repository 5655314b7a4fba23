//! Descriptors that the caller left open (CVE-2024-21626): a working directory of `/proc/self/fd/N` is a directory of the
//! machine, and a program that inherits one walks out of the root by it.
//!
//! Stopped by: `close_range` before the command, and a working directory that is opened without following magic links.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::Test;
use crate::import::{archive, import};
use crate::support::armed::{act_outside, armed_root};
use crate::support::need::Need::Containers;
use crate::support::{Ended, Tinbox};

pub const TESTS: &[Test] = &[
    ("a_workdir_of_proc_self_fd_stays_inside", &[Containers], a_workdir_of_proc_self_fd_stays_inside),
    ("a_workdir_by_a_symlink_of_the_image_stays_inside", &[Containers], a_workdir_by_a_symlink_stays_inside),
    ("descriptors_of_the_caller_do_not_come_along", &[Containers], descriptors_of_the_caller_do_not_come_along),
];

/// What a careless caller leaves open.
const LEAKED: i32 = 9;

/// A directory of the machine with a secret in it.
fn secret() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("secret"), "told").unwrap();
    dir
}

/// The command, with `dir` open in it and in whatever it becomes.
fn leaking(mut command: Command, dir: &tempfile::TempDir) -> Command {
    let open: OwnedFd = File::open(dir.path()).unwrap().into();
    // SAFETY: dup2 is safe to call between fork and exec.
    unsafe { command.pre_exec(move || Ok(nix::errno::Errno::result(libc::dup2(open.as_raw_fd(), LEAKED)).map(drop)?)) };
    command
}

fn a_workdir_of_proc_self_fd_stays_inside() {
    let (secret, root) = (secret(), armed_root());
    let naive = format!("naive-run {} /proc/self/fd/{LEAKED} cat secret", root.path().display());
    assert_eq!(Ended::of(leaking(act_outside(&naive), &secret).output().unwrap()).ok(), "told");

    let tinbox = Tinbox::new();
    for door in [format!("/proc/self/fd/{LEAKED}"), format!("/proc/1/fd/{LEAKED}"), format!("/proc/self/fd/{LEAKED}/.")]
    {
        let command = tinbox.sh_command(&format!("-w {door}"), "cat secret");
        let error = Ended::of(leaking(command, &secret).output().unwrap()).fails(125);
        assert!(error.contains("the working directory") && error.contains("ELOOP"), "{error}");
    }
    // Not one that the runtime has open itself, either.
    for number in 3..20 {
        let ended = tinbox.sh(&format!("-w /proc/self/fd/{number}"), "pwd");
        assert_eq!(ended.status, 125, "{ended:?}");
    }
}

fn a_workdir_by_a_symlink_stays_inside() {
    let tinbox = Tinbox::without_images();
    let root = armed_root();
    std::os::unix::fs::symlink(format!("/proc/self/fd/{LEAKED}"), root.path().join("work")).unwrap();
    import(&tinbox, "hostile", &archive(root.path()));
    let secret = secret();
    let naive = format!("naive-run {} /work cat secret", root.path().display());
    assert_eq!(Ended::of(leaking(act_outside(&naive), &secret).output().unwrap()).ok(), "told");
    let command = tinbox.command(["run", "--rm", "-w", "/work", "hostile", "cat", "secret"]);
    Ended::of(leaking(command, &secret).output().unwrap()).fails(125);
}

fn descriptors_of_the_caller_do_not_come_along() {
    let (secret, root) = (secret(), armed_root());
    let path = format!("/proc/self/fd/{LEAKED}/secret");
    let naive = format!("naive-run {} / cat {path}", root.path().display());
    assert_eq!(Ended::of(leaking(act_outside(&naive), &secret).output().unwrap()).ok(), "told");

    let tinbox = Tinbox::new();
    for options in ["", "--init", "--privileged", "-u 1234"] {
        let command = tinbox.sh_command(options, &format!("cat {path} /proc/1/fd/{LEAKED}/secret"));
        let ended = Ended::of(leaking(command, &secret).output().unwrap());
        assert!(ended.status != 0 && ended.stdout.is_empty(), "{options}: {ended:?}");
    }
}
