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
