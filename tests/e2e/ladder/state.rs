//! What others on the machine may read: layers with set-user-ID programs of any age, records with secrets of `-e`
//! (CVE-2021-41091 and CVE-2021-41089 were directories that everybody could enter). And what they may plant: a directory
//! or symlink in a state directory that they can write to would send Tinbox's files anywhere.
//!
//! Stopped by: directories of mode 0700, whatever the caller's umask; and none is used that is somebody else's, or that
//! others may write to.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::stat::{Mode, umask};

use crate::Test;
use crate::support::need::Need::{Containers, Root};
use crate::support::{Ended, Tinbox};

pub const TESTS: &[Test] = &[
    ("nobody_else_reads_layers_and_records", &[Containers, Root], nobody_else_reads_layers_and_records),
    ("what_others_may_write_to_is_not_used", &[], what_others_may_write_to_is_not_used),
    ("what_others_planted_is_not_used", &[Root], what_others_planted_is_not_used),
    ("a_careless_umask_opens_nothing", &[Containers], a_careless_umask_opens_nothing),
];

/// What user nobody gets when reading a file.
fn as_nobody(path: &Path) -> Ended {
    let mut cat = Command::new("cat");
    Ended::of(cat.arg(path).uid(65534).gid(65534).current_dir("/").output().unwrap())
}

fn nobody_else_reads_layers_and_records() {
    let tinbox = Tinbox::without_images();
    tinbox.tinbox("run --name kept -e SECRET=told base sh -c id>/secret").ok();
    let mut files = Vec::new();
    walk(&tinbox.path(""), &mut files);
    let readable: Vec<_> = files.iter().filter(|file| fs::symlink_metadata(file).unwrap().mode() & 0o4 != 0).collect();
    assert!(readable.iter().any(|file| file.ends_with("tree/etc/passwd")), "{readable:?}");
    let layer = readable.iter().find(|file| file.ends_with("tree/etc/passwd")).unwrap();
    // The directory that holds all is closed too; that is the test's doing, not Tinbox's.
    fs::set_permissions(tinbox.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    for file in &files {
        let ended = as_nobody(file);
        assert!(ended.status != 0 && ended.stderr.contains("Permission denied"), "{}: {ended:?}", file.display());
    }
    // Without the closed doors the layer is there for all.
    for dir in layer.ancestors().skip(1).take_while(|dir| *dir != tinbox.path("")) {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert!(as_nobody(layer).ok().starts_with("root:"));
}

/// One file of each directory is enough.
fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    let entries: Vec<PathBuf> = fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path()).collect();
    let (dirs, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir() && !path.is_symlink());
    let passwd = others.iter().find(|path| path.ends_with("passwd"));
    files.extend(passwd.or(others.iter().find(|path| path.is_file() && !path.is_symlink())).cloned());
    dirs.iter().for_each(|dir| walk(dir, files));
}

fn a_careless_umask_opens_nothing() {
    let tinbox = Tinbox::without_images();
    let mut command = tinbox.command(["run", "--name", "kept", "base", "true"]);
    // SAFETY: umask is a single system call.
    unsafe {
        command.pre_exec(|| {
            umask(Mode::empty());
            Ok(())
        })
    };
    Ended::of(command.output().unwrap()).ok();
    for dir in ["images", "containers", "names", "run", "root"] {
        assert_eq!(fs::metadata(tinbox.path(dir)).unwrap().mode() & 0o777, 0o700, "{dir}");
    }
    let id = tinbox.tinbox("ps -aq").ok();
    let container = fs::read_dir(tinbox.path("containers")).unwrap().flatten().next().unwrap().path();
    assert!(container.to_string_lossy().contains(id.trim()));
    assert_eq!(fs::metadata(&container).unwrap().mode() & 0o777, 0o700);
}

fn what_others_may_write_to_is_not_used() {
    let tinbox = Tinbox::without_images();
    fs::create_dir(tinbox.path("images")).unwrap();
    for name in ["", "images"] {
        let dir = tinbox.path(name);
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
        let error = tinbox.tinbox("images").fails(1);
        assert!(error.ends_with(&format!("chmod go-w {}\n", dir.display())), "{error}");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    }
    tinbox.tinbox("images").ok();
}

fn what_others_planted_is_not_used() {
    let (tinbox, elsewhere) = (Tinbox::without_images(), tempfile::tempdir().unwrap());
    let images = tinbox.path("images");
    let refused = || {
        let error = tinbox.tinbox("images").fails(1);
        assert!(error.contains(&format!("{} belongs to user 65534, not to you", images.display())), "{error}");
    };
    fs::create_dir(&images).unwrap();
    chown(&images, Some(65534), Some(65534)).unwrap();
    refused();
    fs::remove_dir(&images).unwrap();
    // Where a symlink leads is theirs, too, even if it leads to a directory of root's.
    symlink(elsewhere.path(), &images).unwrap();
    lchown(&images, Some(65534), Some(65534)).unwrap();
    refused();
    assert!(fs::read_dir(elsewhere.path()).unwrap().next().is_none());
}
