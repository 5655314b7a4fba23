//! Watching, and the runtime with the learner's functions.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::learner::{Learner, known_answer};

/// A program whose lines are waited for.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(learner: &Learner) -> Watch {
        let mut command = learner.prepare(Path::new(env!("CARGO_BIN_EXE_workshop")));
        let mut child = command.arg("watch").stdout(Stdio::piped()).spawn().expect("the workshop starts");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Watch { child, lines }
    }

    /// Waits for a line that starts so. The time is for a build on a machine that has other things to do.
    fn sees(&self, beginning: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(300)).expect(beginning);
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    /// Presses Ctrl-C and waits for the end.
    fn interrupt(&mut self) -> std::process::ExitStatus {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("it runs");
        self.child.wait().expect("it ends")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_save_is_checked_until_the_learner_stops() {
    use std::os::unix::process::ExitStatusExt;
    let learner = Learner::new();
    let mut watch = Watch::start(&learner);
    watch.sees("✘ 0.1 namespaces_of: not done yet");
    learner.answers("0.1-namespaces-of/mutants/unwrap");
    watch.sees("✘ 0.1 namespaces_of: it panics about a process that does not exist");
    learner.answers("0.1-namespaces-of/also-right/follow-the-link");
    watch.sees("✔ 0.1 namespaces_of: passed");
    watch.sees("Next: 1.1 naive_root.");
    // As editors save: a new file that takes the place of the old one.
    let draft = learner.file(".1.1-naive-root.rs.swp");
    std::fs::write(&draft, known_answer("1.1-naive-root/mutants/no-chdir")).expect("a draft");
    std::fs::rename(&draft, learner.file("1.1-naive-root.rs")).expect("the file");
    watch.sees("✘ 1.1 naive_root: the working directory was left outside");
    assert_eq!(watch.interrupt().signal(), Some(2));
}

#[test]
fn a_container_starts_with_what_the_learner_wrote() {
    let learner = Learner::new();
    let mine = known_answer("1.3-enter-root/also-right/move-mount");
    learner.writes("1.3-enter-root", &mine.replace("put it over the old root", "this is my own code"));
    let open = learner.types("run -- run --rm base true");
    assert_eq!(open.status, 0, "{}", open.err);
    let whose = "ch0 reference (not begun) · ch1 reference (1.3 enter_root: has not passed yet) · \
                 ch2 reference (not begun) · ch3 reference (not begun) · ch4 reference (not begun) · \
                 ch8 reference (not begun)";
    assert_eq!(open.err.lines().last(), Some(whose));

    assert_eq!(learner.types("check 1.3").status, 0);
    let mine = learner.types("run -- run --rm --explain base true");
    assert_eq!(mine.status, 0, "{}", mine.err);
    assert!(mine.err.contains("ch0 reference (not begun) · ch1 yours · "), "{}", mine.err);
    assert!(mine.err.contains("this is my own code"), "{}", mine.err);

    learner.writes("1.3-enter-root", "// to be continued");
    let changed = learner.types("run -- run --rm base true");
    assert!(changed.err.contains("ch1 reference (1.3 enter_root: changed since it passed)"), "{}", changed.err);
}

/// An answer of the course to each exercise whose function the runtime calls.
const SEAMS: [&str; 10] = [
    "0.1-namespaces-of/also-right/follow-the-link",
    "1.3-enter-root/also-right/put-old",
    "2.1-spawn/also-right/raw-clone3",
    "2.3-reap/also-right/waitid",
    "3.1-settings/also-right/another-order",
    "4.1-apply-layer/also-right/strings",
    "4.2-stack/also-right/nix",
    "4.4-make-layer/also-right/cases",
    "8.1-drop-privileges/also-right/bit-first",
    "8.3-mask/also-right/through-the-descriptor",
];

#[test]
fn a_container_starts_with_all_that_a_learner_can_write() {
    let learner = Learner::new();
    SEAMS.iter().for_each(|answer| learner.answers(answer));
    let checked = learner.types("check");
    assert_eq!(checked.out.matches('✔').count(), SEAMS.len(), "{}", checked.out);
    let inside = learner.types("run -- run --rm base cat /proc/self/status /proc/1/cgroup");
    assert_eq!(inside.status, 0, "{}", inside.err);
    let whose = "ch0 yours · ch1 yours · ch2 yours · ch3 yours · ch4 yours · ch8 yours";
    assert_eq!(inside.err.lines().last(), Some(whose), "{}", inside.err);
    assert!(inside.out.contains("NSpid:\t1\n") && inside.out.contains("NoNewPrivs:\t1\n"), "{}", inside.out);
}

#[test]
fn a_root_to_play_with_is_made_in_a_new_place() {
    let learner = Learner::new();
    let made = learner.types("root rootfs");
    assert_eq!(made.status, 0, "{}", made.err);
    for program in ["sh", "escape", "hunter", "fork-bomb", "memory-hog", "evil-layer", "naive-unpack"] {
        assert!(learner.home().join("rootfs/bin").join(program).exists(), "{program}");
    }
    let again = learner.types("root rootfs");
    assert_eq!((again.status, again.err.as_str()), (1, "workshop: rootfs is not empty; name a new directory\n"));
}
