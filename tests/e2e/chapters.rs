//! The chapters' own programs, and the hunter of chapter 2: it sees the whole machine from chapter 1's root, and nobody
//! from a view of its own. Chapter 4's layers, from tar to directory to container and back.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use look::{Comparison, Evidence, Kind};
use nix::unistd::Pid;

use crate::Test;
use crate::support::need::Need::Containers;
use crate::support::{Ended, beside, remove_all};

pub const TESTS: &[Test] = &[
    ("the_hunter_finds_and_kills_a_process_of_the_machine", &[Containers], the_hunter_finds_and_kills),
    ("the_hunter_is_alone_in_a_view_of_its_own", &[Containers], the_hunter_is_alone),
    ("a_view_of_its_own", &[Containers], a_view_of_its_own),
    ("entering_a_process_is_seeing_what_it_sees", &[Containers], entering),
    ("an_init_passes_on_the_status", &[Containers], an_init_passes_on_the_status),
    ("the_sandbox_closes_and_opens", &[Containers], the_sandbox_closes_and_opens),
    ("a_filter_of_one_call", &[Containers], a_filter_of_one_call),
    ("layers_are_seen_as_one_tree", &[Containers], layers_are_seen_as_one_tree),
    ("what_was_changed_becomes_a_layer", &[Containers], what_was_changed_becomes_a_layer),
    ("a_layer_tells_its_status_and_leaves_nothing", &[Containers], a_layer_tells_its_status_and_leaves_nothing),
    ("layers_are_unstacked_when_somebody_says_stop", &[Containers], layers_are_unstacked_when_somebody_says_stop),
];

/// A directory with a root in it.
struct Playground(tempfile::TempDir);

impl Drop for Playground {
    /// Overlay leaves a directory that the usual removal may not look into.
    fn drop(&mut self) {
        remove_all(self.0.path());
    }
}

impl Playground {
    fn new() -> Playground {
        let playground = Playground(tempfile::tempdir().unwrap());
        std::fs::create_dir(playground.root()).unwrap();
        tinbox::image::base::build(&playground.root(), &tinbox::image::base::Source::Host).unwrap();
        tinbox::image::base::add_program(&playground.root(), &beside("hunter"), "/bin/hunter").unwrap();
        playground
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    /// `PROGRAM WORDS ROOT COMMAND…`, not started yet.
    fn command(&self, program: &str, words: &str, command: &[&str]) -> Command {
        let mut started = Command::new(beside(program));
        started.args(words.split_whitespace()).arg(self.root()).args(command).stdin(Stdio::null());
        started
    }

    fn run(&self, program: &str, words: &str, command: &[&str]) -> Ended {
        Ended::of(self.command(program, words, command).output().unwrap())
    }
}

/// A process of the machine, for the hunter.
struct Prey(Child);

impl Prey {
    fn new() -> Prey {
        Prey(Command::new("sleep").arg("1000").spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Prey {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn the_hunter_finds_and_kills() {
    let (playground, mut prey) = (Playground::new(), Prey::new());
    let pid = prey.pid();
    let seen = playground.run("ch01-chroot", "", &["hunter"]).ok();
    assert!(seen.split(' ').next().unwrap().parse::<u32>().unwrap() > 3, "{seen}");
    let traced = playground.run("ch01-chroot", "", &["hunter", &pid]);
    match nix::unistd::geteuid().is_root() {
        true => assert!(traced.ok().contains("stopped, looked at, and let go")),
        // An ordinary user's root is root of a user namespace, and has no power over a process outside of it.
        false => assert!(traced.fails(1).contains("EPERM")),
    }
    assert_eq!(playground.run("ch01-chroot", "", &["hunter", "--kill", &pid]).ok(), format!("process {pid}: killed\n"));
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(prey.0.wait().unwrap().signal(), Some(9));
}

fn the_hunter_is_alone() {
    let (playground, prey) = (Playground::new(), Prey::new());
    for program in ["ch02-namespaces", "ch03-cgroups", "ch08-sandbox"] {
        let words = if program == "ch03-cgroups" { "run --no-watch" } else { "run" };
        let seen = playground.run(program, words, &["hunter"]);
        assert_eq!((seen.status, seen.stdout.as_str()), (0, "1 process in sight\n"), "{program}: {}", seen.stderr);
        let hunted = playground.run(program, words, &["hunter", "--kill", &prey.pid()]);
        assert!(hunted.status == 1 && hunted.stderr.contains("nowhere in sight"), "{program}: {hunted:?}");
    }
}

fn a_view_of_its_own() {
    let playground = Playground::new();
    let script = "hostname; echo $$; readlink /proc/self/ns/net";
    let said = playground.run("ch02-namespaces", "run --hostname island", &["sh", "-c", script]).ok();
    let lines: Vec<&str> = said.lines().collect();
    let own = std::fs::read_link("/proc/self/ns/net").unwrap();
    assert_eq!(lines[..2], ["island", "1"]);
    assert_ne!(lines[2], own.to_str().unwrap());
    assert_eq!(playground.run("ch02-namespaces", "run", &["/no/such/program"]).status, 127);
    assert_eq!(playground.run("ch02-namespaces", "run", &["sh", "-c", "kill -9 $$; sleep 9"]).status, 0);
}

/// The first process of a namespace is not ended by a signal that it sends to itself, so it is a child that waits.
fn entering() {
    let playground = Playground::new();
    let mut command = playground.command("ch02-namespaces", "run", &["sh", "-c", "echo ready; exec cat"]);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut output = std::io::BufReader::new(running.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    let inside = child_of(running.id());
    let script = "hostname; readlink /proc/self/ns/pid; echo $PPID";
    let mut enter = Command::new(beside("ch02-namespaces"));
    enter.args(["enter", &inside.to_string(), "sh", "-c", script]).stdin(Stdio::null());
    let said = Ended::of(enter.output().unwrap()).ok();
    let pid_namespace = std::fs::read_link(format!("/proc/{inside}/ns/pid")).unwrap();
    // Its parent is outside, where no number leads.
    assert_eq!(said, format!("alone\n{}\n0\n", pid_namespace.display()));
    let shared =
        Comparison::of(&Evidence::of(Pid::this()).unwrap(), &Evidence::of(inside).unwrap()).shared_namespaces();
    assert!(!shared.contains(&Kind::Pid) && !shared.contains(&Kind::Net) && shared.contains(&Kind::Time), "{shared:?}");
    drop(running.stdin.take());
    assert_eq!(running.wait().unwrap().code(), Some(0));
    let gone = Ended::of(Command::new(beside("ch02-namespaces")).args(["enter", "4000000"]).output().unwrap());
    assert!(gone.fails(125).contains("pidfd_open 4000000: ESRCH"));
}

fn child_of(pid: u32) -> Pid {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    Pid::from_raw(children.split_whitespace().next().unwrap().parse().unwrap())
}

fn an_init_passes_on_the_status() {
    let playground = Playground::new();
    let run = |script: &str| playground.run("ch02-namespaces", "run --init", &["sh", "-c", script]).status;
    assert_eq!(run("exit 7"), 7);
    assert_eq!(run("kill -9 $$"), 137);
    assert_eq!(run("[ $$ = 1 ]"), 1);
}

fn the_sandbox_closes_and_opens() {
    let playground = Playground::new();
    let fields = |words: &str| playground.run("ch08-sandbox", words, &["cat", "/proc/self/status"]).ok();
    let (closed, open) = (fields("run"), fields("run --open"));
    let field = |text: &str, name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim_start_matches(':').trim().to_owned()
    };
    assert_eq!((field(&closed, "NoNewPrivs"), field(&closed, "Seccomp")), ("1".into(), "2".into()));
    assert_eq!((field(&open, "NoNewPrivs"), field(&open, "Seccomp")), ("0".into(), "0".into()));
    assert_eq!(field(&closed, "CapBnd"), "00000000a00425fb");
    let devices = playground.run("ch08-sandbox", "run", &["ls", "/dev"]).ok();
    assert!(devices.lines().any(|name| name == "null") && !devices.lines().any(|name| name == "kmsg"), "{devices}");
    let hidden = playground.run("ch08-sandbox", "run", &["cat", "/proc/timer_list"]);
    assert_eq!((hidden.status, hidden.stdout.as_str()), (0, ""));
}

fn a_filter_of_one_call() {
    let playground = Playground::new();
    // It is begun, and ends at its first call.
    let ended = playground.run("ch08-sandbox", "run --only execve", &["sh", "-c", "echo out"]);
    assert!(ended.status > 1 && ended.stdout.is_empty(), "{ended:?}");
    let unknown = playground.run("ch08-sandbox", "run --only fly", &["true"]).fails(125);
    assert!(unknown.contains("fly: no such kernel call here"), "{unknown}");
}

impl Playground {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `ch04-images WORDS [-- sh -c SCRIPT]`, in this directory.
    fn ch04(&self, words: &str, script: Option<&str>) -> Ended {
        let mut command = Command::new(beside("ch04-images"));
        command.args(words.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        if let Some(script) = script {
            command.args(["--", "sh", "-c", script]);
        }
        Ended::of(command.output().unwrap())
    }

    /// A layer that adds `/etc/motd`, deletes `/etc/hosts`, and hides all that was in `/var`.
    fn edit(&self) {
        let mut layer = tar::Builder::new(std::fs::File::create(self.path("edit.tar")).unwrap());
        for (name, content) in [("etc/motd", "from a layer\n"), ("etc/.wh.hosts", ""), ("var/.wh..wh..opq", "")] {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            header.set_size(content.len() as u64);
            layer.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        layer.finish().unwrap();
        self.ch04("apply edit.tar edited", None).ok();
    }
}

fn layers_are_seen_as_one_tree() {
    let playground = Playground::new();
    playground.edit();
    std::fs::write(playground.path("root/etc/hosts"), "").unwrap();
    std::fs::create_dir_all(playground.path("root/var/cache")).unwrap();
    let shown = playground.ch04("show edited", None).ok();
    for (kind, path) in [("whiteout", "etc/hosts"), ("opaque", "var"), ("file", "etc/motd"), ("directory", "etc")] {
        assert!(shown.lines().any(|line| line.split_whitespace().take(2).eq([kind, path])), "{kind} {path}: {shown}");
    }
    let script = "cat /etc/motd; ls -d /etc/hosts /var/*; echo $$ $(hostname)";
    let ended = playground.ch04("run root edited", Some(script));
    assert_eq!(ended.stdout, "from a layer\n1 layers\n", "{ended:?}");
    assert!(playground.path("root/etc/hosts").exists() && playground.path("root/var/cache").exists());
}

fn what_was_changed_becomes_a_layer() {
    let playground = Playground::new();
    playground.edit();
    let script =
        "set -e; rm /etc/motd; mkdir -p /srv/new; rm -r /var; mkdir /var; ln -s new /srv/link; echo x >> /etc/passwd";
    let ended = playground.ch04("run --overlay box root edited", Some(script));
    assert_eq!((ended.status, ended.stdout.as_str()), (0, ""), "{ended:?}");
    let changes = playground.ch04("show box/upper", None).ok();
    assert_eq!(ended.stderr, format!("ch04-images: it changed this:\n{changes}"));

    let names = playground.ch04("pack box/upper third.tar", None).ok();
    let ids = playground.ch04("ids edit.tar third.tar", None).ok();
    for line in names.lines() {
        assert!(ids.contains(line), "{line}: {ids}");
    }
    playground.ch04("apply third.tar third", None).ok();
    assert_eq!(playground.ch04("show third", None).ok(), playground.ch04("show box/upper", None).ok());
    let script = "ls -d /etc/motd /var/*; readlink /srv/link; tail -n 1 /etc/passwd; stat -c %u /srv/new";
    let ended = playground.ch04("run root edited third", Some(script));
    assert_eq!(ended.stdout, "new\nx\n0\n", "{ended:?}");
}

fn a_layer_tells_its_status_and_leaves_nothing() {
    let playground = Playground::new();
    let names = || std::fs::read_dir(playground.path("")).unwrap().flatten().map(|entry| entry.file_name());
    let before: Vec<_> = names().collect();
    for (script, status) in [("exit 7", 7), ("kill -9 $$; exit 3", 3), ("no-such-command", 127)] {
        assert_eq!(playground.ch04("run root", Some(script)).status, status, "{script}");
    }
    assert_eq!(playground.ch04("run root -- /etc/passwd", None).status, 126);
    assert!(playground.ch04("run edit.tar", None).fails(125).contains("look for edit.tar"));
    assert!(playground.ch04("apply edit.tar edited", None).fails(125).contains("open edit.tar"));
    std::fs::write(playground.path("root/no.tar"), "no archive").unwrap();
    assert!(playground.ch04("apply root/no.tar edited", None).status == 125);
    assert_eq!(names().collect::<Vec<_>>(), before);
}

fn layers_are_unstacked_when_somebody_says_stop() {
    let playground = Playground::new();
    let mut command = Command::new(beside("ch04-images"));
    command.args(["run", "root", "--", "sh", "-c", "echo ready; exec sleep 1000"]).current_dir(playground.path(""));
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = command.spawn().unwrap();
    let mut line = String::new();
    let mut output = std::io::BufReader::new(running.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    let names = || std::fs::read_dir(playground.path("")).unwrap().count();
    assert_eq!((line.as_str(), names()), ("ready\n", 2));
    nix::sys::signal::kill(Pid::from_raw(running.id() as i32), nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(137));
    assert_eq!(names(), 1, "only the root is left");
}
