//! Whoever works on the store may be killed at any moment. An image is there whole, or it is not there; the next one who
//! wants it gets it; and once nothing is wanted any more, nothing is left.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use images::{Digest, Image, Name};

use super::{archive, contents, must, store};
use crate::Test;
use crate::support::need::Need::Strace;
use crate::support::{TINBOX, Tinbox};

pub const TESTS: &[Test] = &[
    ("killed_while_importing_at_any_call", &[Strace], killed_while_importing_at_any_call),
    ("killed_while_loading_at_any_call", &[Strace], killed_while_loading_at_any_call),
    ("killed_while_removing_at_any_call", &[Strace], killed_while_removing_at_any_call),
    ("many_import_and_remove_at_once", &[], many_import_and_remove_at_once),
];

/// How many moments are tried of the thousands that there are. They are spread over all calls of all threads.
const MOMENTS: usize = 40;

fn find(tinbox: &Tinbox, name: &str) -> Option<Image> {
    store(tinbox).find(&Name::parse(name).unwrap()).unwrap()
}

/// All of the image is there, and says `word`.
fn assert_whole(tinbox: &Tinbox, image: &Image, word: &str, what: &str) {
    let store = store(tinbox);
    for layer in &image.layers {
        let (mut file, _) = store.open_blob(&layer.descriptor.digest).unwrap().expect(what);
        let mut hasher = images::Hasher::new();
        std::io::copy(&mut file, &mut hasher).unwrap();
        assert_eq!(hasher.finish(), layer.descriptor.digest, "{what}");
    }
    let tree = store.trees(image).pop().unwrap();
    for number in 0..20 {
        let content = fs::read_to_string(tree.join(format!("some/where/{number}"))).expect(what);
        assert_eq!(content, format!("{word} {number}"), "{what}");
    }
}

/// `strace -f … tinbox ARGUMENTS`. A set-user-ID program does not work under strace, so newuidmap is not to be found.
fn strace(tinbox: &Tinbox, to: &Path, more: &[&str], arguments: &[&str]) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-E", "PATH=/nowhere", "-o"]).arg(to).args(more).arg(TINBOX).args(arguments);
    command.env("TINBOX_ROOT", tinbox.path("")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Moments to be killed at while `tinbox ARGUMENTS` works: a call, and how often it was made in one thread before.
fn moments_of(tinbox: &Tinbox, arguments: &[&str]) -> Vec<(String, usize)> {
    let trace = tinbox.path("trace");
    assert!(strace(tinbox, &trace, &[], arguments).status().unwrap().success());
    let text = fs::read_to_string(&trace).unwrap();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut all = Vec::new();
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((name, _)) = call.trim_start().split_once('(') else { continue };
        if matches!(name, "execve" | "exit" | "exit_group")
            || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            continue;
        }
        let count = counts.entry((thread, name)).or_default();
        *count += 1;
        all.push((name.to_owned(), *count));
    }
    // The first calls are those of every program.
    let begun = all.iter().position(|(name, _)| name == "flock").unwrap();
    let own = all.split_off(begun);
    let every = own.len().div_ceil(MOMENTS);
    own.into_iter().step_by(every).collect()
}

fn kill_at((name, number): &(String, usize), tinbox: &Tinbox, arguments: &[&str]) -> String {
    let kill = format!("inject={name}:signal=KILL:when={number}");
    strace(tinbox, Path::new("/dev/null"), &["-e", &kill], arguments).status().unwrap();
    format!("killed at {name} number {number}")
}

/// Kills what adds `app` at many moments, and each time looks at what is there and lets it be added in peace.
fn killed_while_adding(arguments: &[&str], word: &str) {
    let moments = moments_of(&Tinbox::without_images(), arguments);
    assert!(moments.len() > MOMENTS / 2, "{}", moments.len());
    for moment in moments {
        let tinbox = Tinbox::without_images();
        let what = kill_at(&moment, &tinbox, arguments);
        if let Some(image) = find(&tinbox, "app") {
            assert_whole(&tinbox, &image, word, &what);
        }
        must(&tinbox, arguments, &what);
        assert_whole(&tinbox, &find(&tinbox, "app").expect(&what), word, &what);
        tinbox.tinbox("image prune --all --force").ok();
        assert!(contents(&tinbox).is_empty(), "{what}: {:?}", contents(&tinbox));
    }
}

fn killed_while_importing_at_any_call() {
    let dir = tempfile::tempdir().unwrap();
    let tar = archive(dir.path(), "import");
    killed_while_adding(&["import", tar.to_str().unwrap(), "app"], "import");
}

fn killed_while_loading_at_any_call() {
    let dir = tempfile::tempdir().unwrap();
    let tar = archive(dir.path(), "load");
    let saved = dir.path().join("saved.tar");
    let tinbox = Tinbox::without_images();
    must(&tinbox, &["import", tar.to_str().unwrap(), "app"], "");
    must(&tinbox, &["save", "-o", saved.to_str().unwrap(), "app"], "");
    killed_while_adding(&["load", "-i", saved.to_str().unwrap()], "load");
}

fn killed_while_removing_at_any_call() {
    let dir = tempfile::tempdir().unwrap();
    let (going, staying) = (archive(dir.path(), "going"), archive(dir.path(), "staying"));
    let filled = || {
        let tinbox = Tinbox::without_images();
        must(&tinbox, &["import", staying.to_str().unwrap(), "staying"], "");
        let alone = contents(&tinbox);
        must(&tinbox, &["import", going.to_str().unwrap(), "app"], "");
        (tinbox, alone)
    };
    let moments = moments_of(&filled().0, &["rmi", "app"]);
    for moment in moments {
        let (tinbox, alone) = filled();
        let what = kill_at(&moment, &tinbox, &["rmi", "app"]);
        if let Some(image) = find(&tinbox, "app") {
            assert_whole(&tinbox, &image, "going", &what);
            tinbox.tinbox("rmi app").ok();
        }
        tinbox.tinbox("image prune --force").ok();
        assert_eq!(contents(&tinbox), alone, "{what}");
        assert_whole(&tinbox, &find(&tinbox, "staying").unwrap(), "staying", &what);
    }
}

fn many_import_and_remove_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let tars = ["one", "two"].map(|word| archive(dir.path(), word));
    let tinbox = Tinbox::without_images();
    let rounds = |tar: &Path, name: &str| {
        for _ in 0..4 {
            must(&tinbox, &["import", tar.to_str().unwrap(), name], name);
            must(&tinbox, &["rmi", name], name);
        }
        must(&tinbox, &["import", tar.to_str().unwrap(), name], name);
    };
    std::thread::scope(|scope| {
        for (tar, name) in [(&tars[0], "a"), (&tars[1], "b"), (&tars[1], "c")] {
            scope.spawn(move || rounds(tar, name));
        }
    });
    for (name, word) in [("a", "one"), ("b", "two"), ("c", "two")] {
        assert_whole(&tinbox, &find(&tinbox, name).unwrap(), word, name);
    }
    tinbox.tinbox("image prune --all --force").ok();
    let left: Vec<Digest> = store(&tinbox).list().unwrap().iter().map(|image| image.id).collect();
    assert!(left.is_empty() && contents(&tinbox).is_empty(), "{left:?} {:?}", contents(&tinbox));
}
