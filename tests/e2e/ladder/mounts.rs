//! Mounts that land where the image says, not where the runtime means. A path is a question, and between asking twice
//! the answer may change: a mount point that is a symlink, or becomes one between look and mount (CVE-2021-30465),
//! leads out of the root. And what of `/proc` and `/sys` is not hidden is there for root to read.
//!
//! Stopped by: mount points that are opened once, inside the root and without symlinks, and mounted on by descriptor;
//! masks and read-only paths, likewise; sources (`/dev/null`) that are the machine's, not the image's.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::Test;
use crate::acts::SWITCH;
use crate::import::{archive_of_base, entry, import};
use crate::support::armed::{IMAGE, act_outside};
use crate::support::need::Need::Containers;
use crate::support::{Ended, Running, Tinbox};
use crate::weak;

pub const TESTS: &[Test] = &[
    ("a_mount_point_that_becomes_a_symlink_stays_inside", &[Containers], a_mount_point_that_becomes_a_symlink),
    ("mount_points_that_are_symlinks_touch_nothing", &[Containers], mount_points_that_are_symlinks_touch_nothing),
    ("what_is_the_machines_is_hidden", &[Containers], what_is_the_machines_is_hidden),
];

/// Two containers share memory; one swaps a directory in it for a symlink, over and over, while the other starts with
/// a mount below that directory.
fn a_mount_point_that_becomes_a_symlink() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir(outside.path().join("in")).unwrap();
    assert_eq!(naive_mount_that_is_raced(outside.path()), outside.path().join("in"));

    let tinbox = Tinbox::armed();
    let script = format!(
        "mkdir -p /dev/shm/a/in; ln -s {} /dev/shm/b; exec /bin/act {SWITCH} swap /dev/shm a b",
        outside.path().display()
    );
    let mut swapper = tinbox.command(["run", "--rm", "-i", "--name", "swapper", IMAGE, "sh", "-c", &script]);
    swapper.stderr(Stdio::inherit());
    let swapper = Running::start(swapper);
    let mut mounted = 0;
    for _ in 0..25 {
        let run =
            "run --rm --ipc container:swapper --tmpfs /dev/shm/a/in:size=444k base grep -c size=444k /proc/mounts";
        let ended = tinbox.tinbox(run);
        match ended.status {
            0 => mounted += ended.stdout.trim().parse::<u32>().unwrap(),
            // It may fail, but then with words and not halfway.
            125 => assert!(ended.stderr.contains("/dev/shm/a/in"), "{ended:?}"),
            _ => panic!("mounted elsewhere: {ended:?}"),
        }
    }
    assert!(mounted > 0, "no start came through");
    assert_eq!(std::fs::read_dir(outside.path().join("in")).unwrap().count(), 0);
    drop(swapper);
}

/// Where a mount lands whose path was right when it was looked at.
fn naive_mount_that_is_raced(outside: &std::path::Path) -> std::path::PathBuf {
    let root = tempfile::tempdir().unwrap();
    let (a, b) = (root.path().join("a"), root.path().join("b"));
    std::fs::create_dir_all(a.join("in")).unwrap();
    std::os::unix::fs::symlink(outside, &b).unwrap();
    let mut naive = act_outside(&format!("naive-mount {} a/in 444k", root.path().display()));
    let mut naive = naive.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(naive.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "looked\n");
    std::fs::rename(&a, root.path().join("c")).unwrap();
    std::fs::rename(&b, &a).unwrap();
    naive.stdin.take().unwrap().write_all(b"\n").unwrap();
    line.clear();
    said.read_line(&mut line).unwrap();
    naive.wait().unwrap();
    line.trim().into()
}

fn mount_points_that_are_symlinks_touch_nothing() {
    let outside = tempfile::tempdir().unwrap();
    for name in ["proc", "dev", "sys"] {
        let target = outside.path().to_str().unwrap();
        // What a runtime that glues paths would have mounted on.
        let glued = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(target, glued.path().join(name)).unwrap();
        assert_eq!(glued.path().join(name).canonicalize().unwrap(), outside.path());

        let tinbox = Tinbox::without_images();
        let archive = archive_of_base(&[name], |archive| entry(archive, tar::EntryType::Symlink, name, target));
        import(&tinbox, "hostile", &archive);
        for options in ["", "--privileged", "--read-only", "--security-opt systempaths=unconfined"] {
            let error = tinbox.tinbox(&format!("run --rm {options} hostile true")).fails(125);
            assert!(error.contains(&format!("/{name}")), "{error}");
        }
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}

/// Those of Docker's and runc's lists that every kernel has.
const HIDDEN: [&str; 2] = ["/proc/interrupts", "/proc/timer_list"];

fn what_is_the_machines_is_hidden() {
    let tinbox = Tinbox::armed();
    let script = format!("cat {} | wc -c; ls /sys/firmware | wc -l", HIDDEN.join(" "));
    let sh = |mut command: std::process::Command| {
        command.args(["sh", "-c", &script]);
        Ended::of(command.output().unwrap())
    };
    let mut weak = std::process::Command::new(std::env::current_exe().unwrap());
    weak.args(["run", "--rm", IMAGE]).env("TINBOX_ROOT", tinbox.path("")).env(weak::VARIABLE, weak::NO_MASK);
    let seen = sh(weak).stdout;
    assert!(seen.lines().next().unwrap().trim().parse::<u32>().unwrap() > 0, "{seen}");

    let ended = sh(tinbox.command(["run", "--rm", IMAGE]));
    assert_eq!(ended.ok().split_whitespace().collect::<Vec<_>>(), ["0", "0"]);
    for path in sandbox::filesystems::MASKED {
        let script =
            format!("test ! -e {path} || test -z \"$(cat {path} 2>/dev/null; ls -A {path} | grep -v ^{path})\"");
        assert_eq!(tinbox.sh("", &script).status, 0, "{path}");
    }
}
