//! tinbox, skopeo and podman as its clients.

use std::process::Command;

use super::Classroom;
use crate::Test;
use crate::support::need::Need::{Containers, Program, Root};
use crate::support::{Ended, Tinbox};

pub const TESTS: &[Test] = &[
    ("tinbox_pulls_and_pushes", &[Containers], tinbox_pulls_and_pushes),
    ("skopeo_reads", &[Program("skopeo")], skopeo_reads),
    ("skopeo_writes", &[Program("skopeo")], skopeo_writes),
    ("podman_pulls_and_pushes", &[Program("podman"), Root], podman_pulls_and_pushes),
];

/// Runs a tool that must succeed, and answers with what it printed. It looks for no credentials of this user.
#[track_caller]
fn call(words: &[&str]) -> String {
    let mut command = Command::new(words[0]);
    let ended = Ended::of(command.args(&words[1..]).env("XDG_RUNTIME_DIR", "/nonexistent").output().unwrap());
    assert_eq!(ended.status, 0, "{words:?}: {}", ended.stderr);
    ended.stdout
}

/// The digest of the manifest that is served as `name`.
fn digest(room: &Classroom, name: &str, tag: &str) -> String {
    room.get(&format!("/v2/{name}/manifests/{tag}")).is(200).header("docker-content-digest").to_owned()
}

fn tinbox_pulls_and_pushes() {
    let teacher = Tinbox::without_images();
    super::import(&teacher, "app:1", &crate::import::archive_of_base(&[], |_| {}));
    let room = Classroom::of(teacher, &["--writable"]);
    let student = Tinbox::without_images();
    let image = format!("{}/app:1", room.address);
    let found = student.tinbox(&format!("search {}/", room.address)).ok();
    assert_eq!(found.matches("app ").count(), 1, "{found}");
    assert!(!found.contains("library"), "{found}");
    let said = student.tinbox(&format!("pull {image}")).ok();
    assert!(said.contains(&digest(&room, "app", "1")), "{said}");
    assert_eq!(student.tinbox(&format!("run --rm {image} echo hello")).ok(), "hello\n");
    let mine = format!("{}/me/homework:1", room.address);
    student.tinbox(&format!("tag {image} {mine}")).ok();
    student.tinbox(&format!("push {mine}")).ok();
    assert_eq!(digest(&room, "me/homework", "1"), digest(&room, "app", "1"));
    let here = format!("localhost:{}/me/homework:1", room.port());
    assert_eq!(room.tinbox.tinbox(&format!("run --rm {here} echo handed in")).ok(), "handed in\n");
}

fn skopeo_reads() {
    let room = Classroom::new(&[]);
    let image = format!("docker://{}/app:1", room.address);
    let inspected = call(&["skopeo", "inspect", "--tls-verify=false", &image]);
    assert!(inspected.contains(&digest(&room, "app", "1")), "{inspected}");
    let tags = call(&["skopeo", "list-tags", "--tls-verify=false", &format!("docker://{}/app", room.address)]);
    assert!(tags.contains("\"1\""), "{tags}");
    let copy = room.tinbox.path("copy");
    let to = format!("dir:{}", copy.display());
    call(&["skopeo", "copy", "--src-tls-verify=false", &image, &to]);
    let manifest = std::fs::read(copy.join("manifest.json")).unwrap();
    assert_eq!(images::Digest::of(&manifest).to_string(), digest(&room, "app", "1"));
}

fn skopeo_writes() {
    let (from, to) = (Classroom::new(&[]), Classroom::of(Tinbox::without_images(), &["--writable"]));
    let source = format!("docker://{}/app:1", from.address);
    let target = format!("docker://{}/handed/in:2", to.address);
    let insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    call(&[&["skopeo", "copy"], &insecure[..], &[&source, &target]].concat());
    assert_eq!(digest(&to, "handed/in", "2"), digest(&from, "app", "1"));
    call(&[&["skopeo", "copy", "--format=v2s2"], &insecure[..], &[&source, &target]].concat());
    let docker = to.get("/v2/handed/in/manifests/2");
    assert_eq!(docker.header("content-type"), "application/vnd.docker.distribution.manifest.v2+json");
    assert!(to.stored("tmp").len() <= 1, "its own place for what comes");
}

fn podman_pulls_and_pushes() {
    let room = Classroom::new(&["--writable"]);
    let (root, run) = (room.tinbox.path("podman"), room.tinbox.path("podman-run"));
    let podman = |words: &[&str]| {
        let place = ["podman", "--root", root.to_str().unwrap(), "--runroot", run.to_str().unwrap()];
        call(&[&place[..], &["--storage-driver=vfs"], words].concat())
    };
    let (image, mine) = (format!("{}/app:1", room.address), format!("{}/by/podman:1", room.address));
    podman(&["pull", "--quiet", "--tls-verify=false", &image]);
    podman(&["push", "--quiet", "--tls-verify=false", &image, &mine]);
    let config = |name: &str| room.get(&format!("/v2/{name}/manifests/1")).json()["config"]["digest"].clone();
    assert_eq!(config("by/podman"), config("app"));
    podman(&["rmi", "--all", "--force"]);
}
