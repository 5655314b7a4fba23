//! `export`: a container's root as an archive.

use std::process::{Command, Stdio};

use super::tree::Tree;
use super::{CHANGE, MAKE, directory, exported, ran};
use crate::Test;
use crate::support::need::Need::{Containers, Program, Root, Unshare};
use crate::support::{Ended, TINBOX, Tinbox};

pub const TESTS: &[Test] = &[
    ("tar_unpacks_what_is_exported", &[Containers, Root, Program("tar")], tar_unpacks_what_is_exported),
    ("one_that_runs_is_exported_without_what_is_mounted", &[Containers], one_that_runs),
    ("an_export_is_not_for_terminals", &[Containers], not_for_terminals),
    ("a_file_appears_when_it_is_complete", &[Containers], a_file_appears_when_it_is_complete),
    ("a_container_on_a_copy_is_exported_and_committed", &[Unshare], a_container_on_a_copy),
];

fn tar_unpacks_what_is_exported() {
    let tinbox = Tinbox::without_images();
    ran(&tinbox, "first", "base", MAKE);
    tinbox.tinbox("commit first made").ok();
    ran(&tinbox, "second", "made", CHANGE);
    let archive = tinbox.path("second.tar");
    tinbox.command(["export", "-o"]).arg(&archive).arg("second").status().unwrap();
    let tree = tinbox.path("unpacked");
    std::fs::create_dir(&tree).unwrap();
    let tar =
        Command::new("tar").args(["--xattrs", "--numeric-owner", "-xpf"]).arg(&archive).arg("-C").arg(&tree).output();
    let tar = Ended::of(tar.unwrap());
    assert_eq!((tar.status, tar.stderr.as_str()), (0, ""));
    let read = Tree::of(std::fs::File::open(&archive).unwrap(), "work");
    Tree::on_disk(&tree, "work").is(&read);
    assert_eq!(read.line("work/old"), None);
    assert!(read.line("work/moved").unwrap().contains(" 4711 "));
    assert!(!tree.join("work/dir/old").exists() && tree.join("work/dir/new").exists());
    assert!(tree.join("usr/bin").is_dir(), "the layers below are in it");
}

fn one_that_runs() {
    let tinbox = Tinbox::new();
    let script = "mkdir /work; echo one > /work/one; : > /proc/self/comm; echo x > /dev/shm/y; echo ready; exec cat";
    let mut running = tinbox.start("--name runs", script);
    let archive = exported(&tinbox, "runs");
    let root = Tree::of(archive.as_slice(), "");
    assert!(root.line("work/one").is_some() && root.line("dev").is_some());
    assert!(root.line("dev/null").is_none() && root.line("dev/shm/y").is_none() && root.line("proc/self").is_none());
    // Nothing of it is left on the machine, and the container goes on.
    assert!(tinbox.path("root").read_dir().unwrap().next().is_none());
    std::io::Write::write_all(running.stdin.as_mut().unwrap(), b"still here\n").unwrap();
    assert_eq!(running.line(), "still here");
    assert_eq!(running.end(), 0);
}

fn not_for_terminals() {
    let tinbox = Tinbox::new();
    ran(&tinbox, "made", "base", "true");
    let pty = nix::pty::openpty(None, None).unwrap();
    let output = tinbox.command(["export", "made"]).stdout(Stdio::from(pty.slave)).output().unwrap();
    let says = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && says.contains("refusing to save to a terminal"), "{says}");
}

fn a_file_appears_when_it_is_complete() {
    let tinbox = Tinbox::new();
    ran(&tinbox, "made", "base", "true");
    let archive = tinbox.path("made.tar");
    std::fs::write(&archive, "as it was").unwrap();
    let upper = directory(&tinbox, "made").join("upper");
    std::fs::rename(&upper, upper.with_file_name("gone")).unwrap();
    let failed = tinbox.tinbox(&format!("export -o {} made", archive.display())).fails(1);
    assert!(failed.contains("upper"), "{failed}");
    assert_eq!(std::fs::read(&archive).unwrap(), b"as it was");
    std::fs::rename(upper.with_file_name("gone"), &upper).unwrap();
    tinbox.tinbox(&format!("export -o {} made", archive.display())).ok();
    assert_eq!(std::fs::read(&archive).unwrap(), exported(&tinbox, "made"));
}

/// Where overlay does not stack, what was changed is found by comparing. (No deletion is committed there: overlayfs itself
/// does not let anybody make the note of one.)
fn a_container_on_a_copy() {
    let script = "mkdir lower upper work merged
        mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,userxattr merged
        export TINBOX_ROOT=$PWD/merged
        change='mkdir /etc/new; echo x > /etc/new/file; echo x >> /etc/passwd'
        $0 run --name copied base sh -c \"$change\" 2>/dev/null
        $0 run --name deletes base sh -c 'rm /etc/group' 2>/dev/null
        $0 diff copied
        $0 diff deletes
        $0 export copied | tar -t | grep etc/new
        $0 commit copied me/copied >/dev/null
        $0 run --rm me/copied sh -c 'ls /etc/new /etc/group; tail -n 1 /etc/passwd' 2>/dev/null";
    let temp = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-ec", script, TINBOX]).current_dir(temp.path());
    let ended = Ended::of(command.env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap());
    crate::support::remove_all(&temp.keep());
    let expected = "C /etc\nA /etc/new\nA /etc/new/file\nC /etc/passwd\nC /etc\nD /etc/group\n\
                    etc/new/\netc/new/file\n/etc/group\n\n/etc/new:\nfile\nx\n";
    assert_eq!(ended.stdout, expected, "{}", ended.stderr);
}
