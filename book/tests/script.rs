//! What the reader types, from the first page to the last.

use std::path::Path;

use catalog::cut;

/// Something that the reader does.
pub enum Step {
    /// Types these commands, and the book shows what they say, under this name.
    Shown(&'static str, &'static [&'static str]),
    /// Types these commands, whose answers are each machine's own. The book shows the commands.
    Typed(&'static str, &'static [&'static str]),
    /// Writes an answer that the course knows, such as a wrong one: `1.1-naive-root/mutants/no-chdir`.
    Answers(&'static str),
    /// Writes the right answer to an exercise.
    Solves(&'static str),
    /// Takes the time that something started in the background needs, until this command succeeds.
    WaitsFor(&'static str),
}

use Step::{Answers, Shown, Solves, Typed, WaitsFor};

pub const SCRIPT: &[Step] = &[
    // Introduction
    Shown(
        "intro-container",
        &[r#"cargo run -q -- run --rm --hostname box base sh -c 'echo "process $$ on $(hostname)"; echo /*'"#],
    ),
    // Before you start
    Typed("start-doctor", &["cargo workshop doctor"]),
    Shown("start-doctor-summary", &["cargo workshop doctor | tail -n 1"]),
    Shown("start-list", &["cargo workshop list"]),
    // Chapter 0
    Shown("ch00-name", &["uname -n"]),
    Shown("ch00-rename", &["unshare --map-root-user --uts sh -c 'hostname box; uname -n'", "uname -n"]),
    Shown("ch00-links", &["readlink /proc/$$/ns/uts", "unshare --map-root-user --uts readlink /proc/self/ns/uts"]),
    Typed("ch00-look", &["cargo run -q -p ch00-look"]),
    Typed("ch00-sleep", &["unshare --map-root-user --uts sleep 1000 &"]),
    WaitsFor("[ \"$(cat /proc/$!/comm)\" = sleep ] || ! kill -0 $!"),
    Shown("ch00-compare", &["cargo run -q -p ch00-look -- --compare $$ $! | grep namespace"]),
    Typed("ch00-kill", &["kill $!"]),
    Typed("ch00-start", &["cargo workshop start 0.1"]),
    Shown("ch00-check-starter", &["cargo workshop check 0.1"]),
    Answers("0.1-namespaces-of/mutants/inode-of-the-link"),
    Shown("ch00-check-wrong", &["cargo workshop check 0.1"]),
    Solves("0.1"),
    Shown("ch00-check-right", &["cargo workshop check 0.1"]),
    Shown("ch00-runtime", &["cargo workshop run -- run --rm --explain base true 2>&1 | grep -e yours -e looked"]),
    Shown("ch00-error", &["cargo run -q -p ch00-look -- 999999999"]),
    Shown("ch00-explain", &["cargo run -q -- run --rm --hostname box --explain base true 2>&1 | grep hostname"]),
    // Chapter 1
    Shown("ch01-root", &["cargo workshop root rootfs"]),
    Shown(
        "ch01-naive",
        &[
            "cargo run -q -p ch01-chroot -- --naive rootfs sh -c 'echo /*'",
            "cargo run -q -p ch01-chroot -- --naive rootfs sh -c 'cd ../../../..; pwd'",
            "cargo run -q -p ch01-chroot -- --naive rootfs cat \"$PWD/rustfmt.toml\"",
        ],
    ),
    Shown("ch01-escape", &["cargo run -q -p ch01-chroot -- --naive rootfs /bin/escape cat \"$PWD/rustfmt.toml\""]),
    Typed("ch01-start-naive", &["cargo workshop start 1.1"]),
    Answers("1.1-naive-root/mutants/no-chdir"),
    Shown("ch01-check-naive", &["cargo workshop check 1.1"]),
    Solves("1.1"),
    Typed("ch01-start-escape", &["cargo workshop start 1.2"]),
    Solves("1.2"),
    Shown(
        "ch01-mounts",
        &[
            "unshare --map-root-user --mount sh -c 'mount -t tmpfs none rootfs/mnt; mountpoint rootfs/mnt'",
            "mountpoint rootfs/mnt",
        ],
    ),
    Shown("ch01-told", &["cargo run -q -- run --rm --explain base true 2>&1 | sed -n '/mounts made/,/chapter 2/p'"]),
    Typed("ch01-start-enter", &["cargo workshop start 1.3"]),
    Answers("1.3-enter-root/mutants/bind-before-private"),
    Shown("ch01-check-wrong", &["cargo workshop check 1.3"]),
    Solves("1.3"),
    Shown("ch01-check-right", &["cargo workshop check 1"]),
    Shown("ch01-held", &["cargo run -q -p ch01-chroot -- rootfs /bin/escape cat \"$PWD/rustfmt.toml\""]),
    Shown("ch01-yours", &["cargo workshop run -- run --rm base sh -c 'echo /*'"]),
];

/// The text of an answer that the course knows.
pub fn known_answer(known: &str) -> String {
    read(&format!("exercises/{known}.rs"))
}

/// The right answer to an exercise, cut from the reference, and the name of its folder.
pub fn solution(number: &str) -> (String, String) {
    let exercise = catalog::select(number)[0];
    (exercise.slug(), cut::solution(exercise, &read(exercise.reference)).unwrap())
}

fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
