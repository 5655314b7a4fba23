//! `tinbox import`: images from root file systems of one's own, friendly and hostile.

use std::io::Write;
use std::process::Stdio;

use tinbox::image::base::Source;

use crate::Test;
use crate::registry::http::{Answer, Server};
use crate::support::need::Need::Containers;
use crate::support::{Ended, Tinbox};

pub const TESTS: &[Test] = &[
    ("a_root_file_system_runs", &[Containers], a_root_file_system_runs),
    ("what_is_no_archive_makes_no_image", &[], what_is_no_archive_makes_no_image),
    ("a_mount_point_that_is_a_symlink_is_refused", &[Containers], a_mount_point_that_is_a_symlink_is_refused),
    ("a_passwd_that_never_ends_is_refused", &[Containers], a_passwd_that_never_ends_is_refused),
    ("mount_points_that_are_missing_are_made", &[Containers], mount_points_that_are_missing_are_made),
    ("instructions_message_and_platform_are_kept", &[], instructions_message_and_platform_are_kept),
    ("an_archive_comes_from_the_web", &[], an_archive_comes_from_the_web),
];

/// Imports `archive` from standard input as `name`.
pub fn import(tinbox: &Tinbox, name: &str, archive: &[u8]) -> String {
    let mut child = tinbox
        .command(["import", "-", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(archive).unwrap();
    Ended::of(child.wait_with_output().unwrap()).ok()
}

/// The embedded image's tree as an archive, less what `leave_out` says, with `more` added.
pub fn archive_of_base(leave_out: &[&str], more: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    archive_of(&Source::Detect, leave_out, more)
}

/// [`archive_of_base`] of an image made from `source`.
pub fn archive_of(source: &Source, leave_out: &[&str], more: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let rootfs = dir.path().join("rootfs");
    std::fs::create_dir(&rootfs).unwrap();
    tinbox::image::base::build(&rootfs, source).unwrap();
    for path in leave_out {
        let path = rootfs.join(path);
        std::fs::remove_dir(&path).or_else(|_| std::fs::remove_file(&path)).unwrap();
    }
    let mut archive = builder_of(&rootfs);
    more(&mut archive);
    archive.into_inner().unwrap()
}

/// A directory as an archive.
pub fn archive(dir: &std::path::Path) -> Vec<u8> {
    builder_of(dir).into_inner().unwrap()
}

fn builder_of(dir: &std::path::Path) -> tar::Builder<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    archive.follow_symlinks(false);
    archive.append_dir_all(".", dir).unwrap();
    archive
}

/// Adds what is not a file: a link to `target`, a fifo.
pub fn entry(archive: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, path: &str, target: &str) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    archive.append_link(&mut header, path, target).unwrap();
}

fn a_root_file_system_runs() {
    let tinbox = Tinbox::without_images();
    let id = import(&tinbox, "mine:1", &archive_of_base(&[], |_| {}));
    assert!(id.starts_with("sha256:") && id.trim().len() == 71, "{id}");
    assert_eq!(tinbox.tinbox("run --rm mine:1 sh -c pwd").ok(), "/\n");
    // An imported image has no command of its own.
    let error = tinbox.tinbox("run --rm mine:1").fails(125);
    assert!(error.contains("no command specified, and the image has none"), "{error}");
}

fn what_is_no_archive_makes_no_image() {
    let tinbox = Tinbox::without_images();
    let file = tinbox.path("file");
    std::fs::write(&file, "no archive").unwrap();
    let error = tinbox.tinbox(&format!("import {} broken", file.display())).fails(1);
    assert!(error.contains("import") && error.contains("file"), "{error}");
    assert!(error.contains("this is not a tar archive"), "{error}");
    assert!(tinbox.tinbox("import /dev/null x").fails(1).contains("the archive is empty"));
    assert!(tinbox.tinbox("import /tmp x").fails(1).contains("/tmp is a directory, and an archive is wanted"));
    assert!(tinbox.tinbox("import /no/such/file x").fails(1).contains("No such file"));
    for dir in ["layers", "blobs/sha256", "tmp"] {
        let left = std::fs::read_dir(tinbox.path("images").join(dir)).unwrap().count();
        assert_eq!(left, 0, "{dir}");
    }
    assert_eq!(tinbox.tinbox("images -q").ok(), "");
}

fn instructions_message_and_platform_are_kept() {
    let tinbox = Tinbox::without_images();
    let file = tinbox.path("root.tar");
    std::fs::write(&file, small()).unwrap();
    let file = file.to_str().unwrap();
    let words =
        ["import", "-c", "CMD [\"a\", \"b\"]", "-c", "ENV X=1", "-m", "by me", "--platform", "linux/s390x", file, "x"];
    Ended::of(tinbox.command(words).output().unwrap()).ok();
    let inspected = tinbox.tinbox("image inspect x").ok();
    let image: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    let image = &image[0];
    assert_eq!((&image["Architecture"], &image["Os"]), (&"s390x".into(), &"linux".into()));
    assert_eq!(image["Config"]["Cmd"], serde_json::json!(["a", "b"]));
    assert_eq!(image["Config"]["Env"], serde_json::json!(["X=1"]));
    assert!(tinbox.tinbox("history x").ok().contains("by me"));
    tinbox.tinbox(&format!("import {file} y")).ok();
    assert!(tinbox.tinbox("history y").ok().contains("Imported from -"));
    let error = tinbox.tinbox(&format!("import -c FROM {file} z")).fails(1);
    assert!(error.contains("FROM"), "{error}");
    assert!(tinbox.tinbox(&format!("import --platform a/b/c/d {file} z")).fails(1).contains("platform"));
}

/// An archive of one file.
fn small() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(5);
    header.set_cksum();
    archive.append_data(&mut header, "hello", &b"hello"[..]).unwrap();
    archive.into_inner().unwrap()
}

fn an_archive_comes_from_the_web() {
    let archive = small();
    let server = Server::start(move |request| match request.path.as_str() {
        "/root.tar" => Answer::ok(archive.clone()),
        "/moved.tar" => Answer::status(302).header("location", "/root.tar"),
        "/round.tar" => Answer::status(302).header("location", "/round.tar"),
        "/half.tar" => Answer { cut: Some(700), ..Answer::ok(archive.clone()) },
        _ => Answer::status(404),
    });
    let tinbox = Tinbox::without_images();
    let import = |path: &str, name: &str| tinbox.tinbox(&format!("import http://{}{path} {name}", server.address));
    let id = import("/root.tar", "a").ok();
    assert_eq!(id.len(), 72, "{id}");
    assert!(tinbox.tinbox("history a").ok().contains(&format!("Imported from http://{}/root.tar", server.address)));
    import("/moved.tar", "b").ok();
    assert!(import("/round.tar", "c").fails(1).contains("without an end"));
    assert!(import("/no.tar", "c").fails(1).contains("404"));
    import("/half.tar", "x").fails(1);
    assert!(tinbox.tinbox("tag x d").fails(1).contains("No such image"), "half an archive is no image");
}

fn a_mount_point_that_is_a_symlink_is_refused() {
    for (name, leave_out) in [("proc", "proc"), ("dev", "dev"), ("sys", "sys")] {
        let tinbox = Tinbox::without_images();
        let archive = archive_of_base(&[leave_out], |archive| entry(archive, tar::EntryType::Symlink, name, "/etc"));
        import(&tinbox, "hostile", &archive);
        let error = tinbox.tinbox("run --rm hostile true").fails(125);
        assert!(error.contains("must be a directory") && error.contains(&format!("/{name}")), "{error}");
        assert!(tinbox.leftovers().is_empty());
    }
}

fn a_passwd_that_never_ends_is_refused() {
    let tinbox = Tinbox::without_images();
    let hostile = [(tar::EntryType::Symlink, "/dev/zero"), (tar::EntryType::Fifo, "x")];
    for (kind, target) in hostile {
        let archive = archive_of_base(&["etc/passwd"], |archive| entry(archive, kind, "etc/passwd", target));
        import(&tinbox, "hostile", &archive);
        let ended = tinbox.tinbox("run --rm -u nobody hostile true");
        assert_eq!(ended.status, 125, "{ended:?}");
    }
}

fn mount_points_that_are_missing_are_made() {
    let tinbox = Tinbox::without_images();
    import(&tinbox, "bare", &archive_of_base(&["proc", "sys", "dev"], |_| {}));
    assert_eq!(tinbox.tinbox("run --rm bare ls /dev/null /proc/self/status").ok(), "/dev/null\n/proc/self/status\n");
}
