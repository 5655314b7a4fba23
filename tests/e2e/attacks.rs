//! The chapters' attacks: each works on what the chapter before it built, and fails on what its own chapter builds.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Test;
use crate::support::need::Need::Containers;
use crate::support::{Ended, Tinbox, beside};

pub const TESTS: &[Test] = &[
    ("the_escape_walks_out_of_a_chroot", &[Containers], the_escape_walks_out_of_a_chroot),
    ("the_escape_stays_in_a_pivoted_root", &[Containers], the_escape_stays_in_a_pivoted_root),
    ("the_escape_stays_in_a_container", &[Containers], the_escape_stays_in_a_container),
    ("a_pivoted_root_leaves_the_host_as_it_was", &[Containers], a_pivoted_root_leaves_the_host_as_it_was),
    ("an_evil_layer_reaches_out_of_a_naive_extraction", &[], an_evil_layer_reaches_out_of_a_naive_extraction),
    ("an_evil_layer_stays_in_its_tree", &[], an_evil_layer_stays_in_its_tree),
    ("an_evil_layer_stays_out_of_the_store", &[Containers], an_evil_layer_stays_out_of_the_store),
];

/// A directory with a root that holds the attack, and beside it a file that nobody in the root may read.
struct Playground(tempfile::TempDir);

impl Playground {
    fn new() -> Playground {
        let playground = Playground(tempfile::tempdir().unwrap());
        std::fs::create_dir(playground.root()).unwrap();
        std::fs::write(playground.secret(), "secret").unwrap();
        tinbox::image::base::build(&playground.root(), &tinbox::image::base::Source::Host).unwrap();
        tinbox::image::base::add_program(&playground.root(), &beside("escape"), "/bin/escape").unwrap();
        playground
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    fn secret(&self) -> PathBuf {
        self.0.path().join("secret")
    }

    /// Enters the root as chapter 1 does, and runs the attack there, which then tries to read the secret.
    fn attack(&self, options: &[&str]) -> Ended {
        let mut command = Command::new(beside("ch01-chroot"));
        command.args(options).arg(self.root()).args(["/bin/escape", "cat"]).arg(self.secret());
        Ended::of(command.output().unwrap())
    }
}

fn the_escape_walks_out_of_a_chroot() {
    let playground = Playground::new();
    assert_eq!(playground.attack(&["--naive"]).ok(), "secret");
    // It leaves nothing in the root that would give it away.
    assert_eq!(count(&playground.root()), count_of_a_fresh_root());
}

fn the_escape_stays_in_a_pivoted_root() {
    let error = Playground::new().attack(&[]).fails(1);
    assert!(error.contains("No such file or directory"), "{error}");
}

fn a_pivoted_root_leaves_the_host_as_it_was() {
    let before = crate::support::host_mounts();
    Playground::new().attack(&[]);
    assert_eq!(crate::support::host_mounts(), before);
}

fn the_escape_stays_in_a_container() {
    let playground = Playground::new();
    let tinbox = Tinbox::without_images();
    crate::import::import(&tinbox, "attack", &crate::import::archive(&playground.root()));
    let mut command = tinbox.command(["run", "--rm", "attack", "/bin/escape", "cat"]);
    let error = Ended::of(command.arg(playground.secret()).output().unwrap()).fails(1);
    assert!(error.contains("No such file or directory"), "{error}");
    // The attack itself went through: what it sees as / is still the image.
    assert_eq!(tinbox.tinbox("run --rm attack /bin/escape ls /bin/escape").ok(), "/bin/escape\n");
}

fn count(dir: &Path) -> usize {
    std::fs::read_dir(dir).unwrap().count()
}

fn count_of_a_fresh_root() -> usize {
    count(&Playground::new().root())
}

/// Each trick of `evil-layer`, and what a tree answers: a complaint, or that everything stayed inside.
const TRICKS: [(&str, Option<&str>); 6] = [
    ("dots", Some("points outside with `..`")),
    ("absolute", None),
    ("parent", Some("no directory")),
    ("through", None),
    ("hardlink", Some("not there")),
    ("whiteout", Some("no directory")),
];

/// A file, and layers that are after it.
struct Prey(tempfile::TempDir);

impl Prey {
    fn new() -> Prey {
        let prey = Prey(tempfile::tempdir().unwrap());
        std::fs::create_dir(prey.path("home")).unwrap();
        std::fs::write(prey.path("home/file"), "mine").unwrap();
        prey
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes the layer.
    fn layer(&self, trick: &str) -> PathBuf {
        let layer = self.path(trick);
        let mut command = Command::new(beside("evil-layer"));
        command.arg(trick).arg(self.path("home/file")).stdout(std::fs::File::create(&layer).unwrap());
        assert!(command.status().unwrap().success(), "{trick}");
        layer
    }

    /// What is in the file, if it is there.
    fn content(&self) -> Option<String> {
        std::fs::read_to_string(self.path("home/file")).ok()
    }

    /// Whether it is as it was, and alone.
    fn is_well(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let found = std::fs::symlink_metadata(self.path("home/file"));
        self.content().as_deref() == Some("mine")
            && found.is_ok_and(|file| file.is_file() && file.nlink() == 1)
            && count(&self.path("home")) == 1
    }
}

fn an_evil_layer_reaches_out_of_a_naive_extraction() {
    for (trick, _) in TRICKS {
        let prey = Prey::new();
        std::fs::create_dir(prey.path("tree")).unwrap();
        let mut command = Command::new(beside("naive-unpack"));
        Ended::of(command.arg(prey.layer(trick)).arg(prey.path("tree")).output().unwrap()).ok();
        let expected = if trick == "whiteout" { None } else { Some("overwritten by a layer\n") };
        assert_eq!(prey.content().as_deref(), expected, "{trick}");
    }
}

fn an_evil_layer_stays_in_its_tree() {
    for (trick, complaint) in TRICKS {
        let prey = Prey::new();
        let mut command = Command::new(beside("ch04-images"));
        let ended = Ended::of(command.arg("apply").arg(prey.layer(trick)).arg(prey.path("tree")).output().unwrap());
        assert!(prey.is_well(), "{trick}: {ended:?}");
        match complaint {
            None => assert_eq!(ended.ok(), "", "{trick}"),
            Some(words) => {
                let error = ended.fails(125);
                assert!(error.contains(words) && !prey.path("tree").exists(), "{trick}: {error}");
            }
        }
    }
}

fn an_evil_layer_stays_out_of_the_store() {
    for (trick, complaint) in TRICKS {
        let prey = Prey::new();
        let tinbox = Tinbox::without_images();
        let mut command = tinbox.command(["import"]);
        let ended = Ended::of(command.arg(prey.layer(trick)).arg("evil").output().unwrap());
        assert!(prey.is_well(), "{trick}: {ended:?}");
        match complaint {
            None => assert_eq!(ended.status, 0, "{trick}: {ended:?}"),
            Some(words) => {
                let error = ended.fails(1);
                assert!(error.contains(words), "{trick}: {error}");
                assert!(count(&tinbox.path("images/blobs/sha256")) == 0, "{trick} left a blob");
            }
        }
    }
}
