//! `commit`: the image that a container becomes.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;

use super::tree::Tree;
use super::{CHANGE, MAKE, directory, exported, ran};
use crate::Test;
use crate::support::need::Need::{Cgroups, Containers, NoDelegation, Program, Root};
use crate::support::{Ended, Tinbox};

pub const TESTS: &[Test] = &[
    ("the_new_image_is_what_the_container_was", &[Containers], the_new_image_is_what_the_container_was),
    ("umoci_unpacks_the_same", &[Containers, Root, Program("umoci"), Program("tar")], umoci_unpacks_the_same),
    ("attributes_are_kept", &[Containers], attributes_are_kept),
    ("the_same_changes_are_the_same_layer", &[Containers], the_same_changes_are_the_same_layer),
    ("config_and_history", &[Containers], config_and_history),
    ("one_that_runs_holds_still_meanwhile", &[Containers, Cgroups], one_that_runs_holds_still),
    ("one_that_is_paused_stays_so", &[Containers, Cgroups], one_that_is_paused_stays_so),
    ("whoever_is_interrupted_lets_it_go_on", &[Containers, Cgroups], whoever_is_interrupted),
    ("without_a_cgroup_it_is_read_as_it_runs", &[Containers, NoDelegation], without_a_cgroup),
    ("what_cannot_be_done_leaves_nothing", &[Containers], what_cannot_be_done_leaves_nothing),
];

/// The layers of an image, by their contents.
fn layers(tinbox: &Tinbox, image: &str) -> Vec<String> {
    let images = tinbox.tinbox(&format!("inspect {image}")).ok();
    let images: Value = serde_json::from_str(&images).unwrap();
    let layers = images[0]["RootFS"]["Layers"].as_array().unwrap().iter();
    layers.map(|layer| layer.as_str().unwrap().to_owned()).collect()
}

/// Two containers: the first made a tree, the second, of an image of the first, changed it.
fn two_generations() -> Tinbox {
    let tinbox = Tinbox::without_images();
    ran(&tinbox, "first", "base", MAKE);
    tinbox.tinbox("commit first made").ok();
    ran(&tinbox, "second", "made", CHANGE);
    tinbox.tinbox("commit second changed").ok();
    tinbox
}

fn the_new_image_is_what_the_container_was() {
    let tinbox = two_generations();
    for (image, container) in [("made", "first"), ("changed", "second")] {
        let copy = format!("of-{image}");
        ran(&tinbox, &copy, image, "true");
        let tree = |name: &str| Tree::of(exported(&tinbox, name).as_slice(), "work");
        tree(&copy).is(&tree(container));
    }
    let script = "cd /work; ls dir; cat hidden; stat -c '%a %n' moved stays; readlink link; test -d fifo -a -d leads; \
                  test ünïcode -ef second; stat -c %y sparse; test ! -e file -a ! -e program";
    let seen = tinbox.command(["run", "--rm", "changed", "sh", "-ec", script]).output().unwrap();
    let expected = "new\na-file\n4711 moved\n700 stays\nelsewhere\n2021-01-01 00:00:00.000000000 +0000\n";
    assert_eq!(Ended::of(seen).ok(), expected);
}

fn umoci_unpacks_the_same() {
    let tinbox = two_generations();
    let (layout, bundle) = (tinbox.path("layout"), tinbox.path("bundle"));
    std::fs::create_dir(&layout).unwrap();
    let script = "$0 save changed | tar -x -C layout && umoci unpack --image layout:$(umoci ls --layout layout) bundle";
    let mut command = Command::new("sh");
    command.args(["-ec", script, crate::support::TINBOX]).env("TINBOX_ROOT", tinbox.path(""));
    let unpacked = Ended::of(command.current_dir(tinbox.path("")).output().unwrap());
    assert_eq!(unpacked.status, 0, "{}", unpacked.stderr);
    let expected = Tree::of(exported(&tinbox, "second").as_slice(), "work");
    Tree::on_disk(&bundle.join("rootfs"), "work").is(&expected);
}

/// The embedded image has no program that sets them, so they are set from outside.
fn attributes_are_kept() {
    let tinbox = Tinbox::without_images();
    ran(&tinbox, "marked", "base", "mkdir /work; echo x > /work/file");
    let work = directory(&tinbox, "marked").join("upper/work");
    set_user_attribute(&work, "user.note", b"of a directory");
    set_user_attribute(&work.join("file"), "user.note", b"a b\0c");
    tinbox.tinbox("commit marked kept").ok();
    ran(&tinbox, "again", "kept", "true");
    let tree = |name: &str| Tree::of(exported(&tinbox, name).as_slice(), "work");
    assert!(tree("marked").line("work/file").unwrap().contains("user.note=[97, 32, 98, 0, 99]"));
    tree("again").is(&tree("marked"));
}

fn set_user_attribute(path: &std::path::Path, name: &str, value: &[u8]) {
    let path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    let name = std::ffi::CString::new(name).unwrap();
    // SAFETY: path and name are NUL-terminated, and the value is as long as is said.
    let done = unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}

fn the_same_changes_are_the_same_layer() {
    let tinbox = Tinbox::without_images();
    ran(&tinbox, "made", "base", MAKE);
    tinbox.tinbox("commit made one").ok();
    tinbox.tinbox("commit made two").ok();
    assert_eq!(layers(&tinbox, "one"), layers(&tinbox, "two"));
    assert_ne!(layers(&tinbox, "one"), layers(&tinbox, "base"));
    // Nothing, in a tar archive, is two blocks of zeros. Everybody calls that layer by this name.
    ran(&tinbox, "idle", "base", "true");
    tinbox.tinbox("commit idle three").ok();
    let nothing = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
    assert_eq!(layers(&tinbox, "three").last().map(String::as_str), Some(nothing));
}

fn config_and_history() {
    let tinbox = Tinbox::without_images();
    let run = "run --name app -e MODE=test -w /srv -u 0:0 -l kept=yes --entrypoint /bin/echo base some words";
    tinbox.tinbox(run).ok();
    let changes =
        ["-c", "CMD [\"other\", \"words\"]", "-c", "ENV MORE=\"$MODE er\"", "-c", "EXPOSE 80", "-c", "LABEL a=b"];
    let mut commit = tinbox.command(["commit", "-a", "Ada <ada@example.org>", "-m", "a message"]);
    let id = Ended::of(commit.args(changes).args(["app", "me/app:2"]).output().unwrap()).ok();
    let image: Value = serde_json::from_str(&tinbox.tinbox("inspect me/app:2").ok()).unwrap();
    let image = &image[0];
    assert_eq!(image["Id"], id.trim());
    assert_eq!(
        (image["Author"].as_str(), image["Comment"].as_str()),
        (Some("Ada <ada@example.org>"), Some("a message"))
    );
    let config = &image["Config"];
    assert_eq!(config["Cmd"], serde_json::json!(["other", "words"]));
    assert_eq!(config["Entrypoint"], serde_json::json!(["/bin/echo"]));
    assert_eq!((config["WorkingDir"].as_str(), config["User"].as_str()), (Some("/srv"), Some("0:0")));
    assert_eq!(config["Labels"], serde_json::json!({"a": "b", "kept": "yes"}));
    assert_eq!(config["ExposedPorts"], serde_json::json!({"80/tcp": {}}));
    let env: Vec<&str> = config["Env"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(env.contains(&"MODE=test") && env.contains(&"MORE=test er"), "{env:?}");
    let history = tinbox.tinbox("history --no-trunc me/app:2").ok();
    let first = history.lines().nth(1).unwrap();
    assert!(first.contains(" some words ") && first.ends_with(" a message"), "{history}");
    assert_eq!(tinbox.tinbox("run --rm me/app:2").ok(), "other words\n");
}

/// It counts in three files, one after the other, and between them is one that takes time to read. Had it gone on, the
/// last would be ahead of the first.
fn one_that_runs_holds_still() {
    let tinbox = Tinbox::without_images();
    let script = "yes | head -c 64M > /m; count() { echo $2 > /t; mv /t $1; }; i=0
        while :; do i=$((i+1)); count /a $i; count /z $i; test $i != 1 || echo ready; done";
    let running = tinbox.start("--name runs", script);
    tinbox.tinbox("commit runs still").ok();
    assert!(!tinbox.tinbox("ps").ok().contains("(Paused)"), "it goes on");
    let seen = tinbox.command(["run", "--rm", "still", "sh", "-c", "cat /a /z"]).output().unwrap();
    let seen: Vec<u64> = Ended::of(seen).ok().lines().map(|line| line.parse().unwrap()).collect();
    assert!(seen[0] == seen[1] || seen[0] == seen[1] + 1, "{seen:?}");
    drop(running);
}

fn one_that_is_paused_stays_so() {
    let tinbox = Tinbox::without_images();
    let running = tinbox.start("--name held", "echo ready; exec cat");
    tinbox.tinbox("pause held").ok();
    tinbox.tinbox("commit held one").ok();
    tinbox.tinbox("commit --pause=false held two").ok();
    assert!(tinbox.tinbox("ps").ok().contains("(Paused)"));
    tinbox.tinbox("unpause held").ok();
    assert_eq!(running.end(), 0);
}

/// Whoever clears the store away is alone in it: so the commit waits, and the container is held still.
fn whoever_is_interrupted() {
    let tinbox = Tinbox::without_images();
    let mut running = tinbox.start("--name held", "echo ready; exec cat");
    let alone = std::fs::File::options().append(true).open(tinbox.path("images/writers")).unwrap();
    alone.lock().unwrap();
    let mut commit =
        tinbox.command(["commit", "held", "never"]).process_group(0).stderr(Stdio::null()).spawn().unwrap();
    while !tinbox.tinbox("ps").ok().contains("(Paused)") {
        std::thread::yield_now();
    }
    killpg(Pid::from_raw(commit.id() as i32), Signal::SIGINT).unwrap();
    assert!(!commit.wait().unwrap().success());
    assert!(!tinbox.tinbox("ps").ok().contains("(Paused)"));
    running.stdin.as_mut().unwrap().write_all(b"on it goes\n").unwrap();
    assert_eq!(running.line(), "on it goes");
    drop(alone);
    assert!(!tinbox.tinbox("images").ok().contains("never"));
    assert_eq!(running.end(), 0);
}

fn without_a_cgroup() {
    let tinbox = Tinbox::without_images();
    let running = tinbox.start("--name free", "echo ready; exec cat");
    let committed = tinbox.tinbox("commit free read");
    assert_eq!(committed.status, 0);
    assert!(committed.stderr.contains("free has no cgroup, so it is not paused"), "{}", committed.stderr);
    tinbox.tinbox("commit --pause=false free read").ok();
    assert!(tinbox.tinbox("commit --pause free read").fails(1).contains("use --pause=false"));
    assert_eq!(running.end(), 0);
}

fn what_cannot_be_done_leaves_nothing() {
    let tinbox = Tinbox::without_images();
    ran(&tinbox, "made", "base", ": > /.wh.passwd");
    let before = tinbox.tinbox("images -aq").ok();
    let says = tinbox.tinbox("commit made image").fails(1);
    assert!(says.contains(".wh.passwd: a layer cannot hold this"), "{says}");
    let says = Ended::of(tinbox.command(["commit", "-c", "RUN make", "made"]).output().unwrap()).fails(1);
    assert!(says.contains("RUN is not a valid change command"), "{says}");
    assert!(tinbox.tinbox("commit made Bad").fails(1).contains("lowercase"));
    let digest = format!("image@sha256:{}", "0".repeat(64));
    assert!(tinbox.tinbox(&format!("commit made {digest}")).fails(1).contains("digest reference"));
    assert_eq!(tinbox.tinbox("images -aq").ok(), before);
    let drafts = std::fs::read_dir(tinbox.path("images/tmp")).unwrap().count();
    assert_eq!(drafts, 0, "a draft of the layer is left");
    let archive = exported(&tinbox, "made");
    assert!(Tree::of(archive.as_slice(), "").line(".wh.passwd").is_some(), "a tree can hold it");
}
