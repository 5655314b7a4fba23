//! docker and podman: what they save is loaded, and they load what is saved.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::sample::{self, packed};
use super::{Bench, Kept, UMOCI, run, strings};
use crate::Test;
use crate::support::need::Need::{self, Program, Root};

const DOCKER: &[Need] = &[Program("dockerd"), Program("docker"), Program("ip"), UMOCI, Root];
const PODMAN: &[Need] = &[Program("podman"), UMOCI, Root];

pub const TESTS: &[Test] = &[
    ("docker_loads_what_was_saved", DOCKER, docker_loads_what_was_saved),
    ("what_docker_saved_is_read", DOCKER, what_docker_saved_is_read),
    ("podman_loads_what_was_saved", PODMAN, podman_loads_what_was_saved),
    ("what_podman_saved_is_read", PODMAN, what_podman_saved_is_read),
];

fn docker_loads_what_was_saved() {
    let docker = Docker::start();
    loads_what_was_saved(&|arguments| docker.run(arguments));
}

fn what_docker_saved_is_read() {
    let docker = Docker::start();
    what_was_saved_is_read(&|arguments| docker.run(arguments), &[&[]]);
}

fn podman_loads_what_was_saved() {
    let podman = Podman::new();
    loads_what_was_saved(&|arguments| podman.run(arguments));
}

fn what_podman_saved_is_read() {
    let podman = Podman::new();
    what_was_saved_is_read(
        &|arguments| podman.run(arguments),
        &[&["--format=docker-archive"], &["--format=oci-archive"]],
    );
}

/// Either of them.
type Engine<'a> = &'a dyn Fn(&[&str]) -> String;

/// The sample, in a Tinbox, as `sample:1`.
fn loaded() -> Bench {
    let bench = Bench::new();
    let name = bench.load(&packed(&sample::by_umoci(bench.dir.path())));
    bench.tinbox.tinbox(&format!("tag {name} sample:1")).ok();
    bench
}

fn loads_what_was_saved(engine: Engine) {
    let bench = loaded();
    engine(&["load", "--quiet", "--input", text(&bench.save("sample:1"))]);
    assert_eq!(inspect(engine, "sample:1"), bench.inspect("sample:1"));
    let exported = bench.path("by-engine.tar");
    let container = engine(&["create", "sample:1"]);
    engine(&["export", "--output", text(&exported), &container]);
    bench.archived(&exported, Kept::ByDocker).is(&bench.listing("sample:1", Kept::ByDocker));
}

fn what_was_saved_is_read(engine: Engine, forms: &[&[&str]]) {
    let bench = loaded();
    let archive = bench.save("sample:1");
    engine(&["load", "--quiet", "--input", text(&archive)]);
    for form in forms {
        let (saved, other) = (bench.path("by-engine.tar"), Bench::new());
        engine(&[&["save", "--output", text(&saved), "sample:1"], *form].concat());
        let name = other.load(&saved);
        assert_eq!(other.inspect(&name), bench.inspect("sample:1"), "{form:?}");
        other.listing(&name, Kept::ByDocker).is(&bench.listing("sample:1", Kept::ByDocker));
        std::fs::remove_file(saved).unwrap();
    }
}

/// An image's id, and the diff ids of its layers.
fn inspect(engine: Engine, image: &str) -> (String, Vec<String>) {
    let found: Value = serde_json::from_str(&engine(&["image", "inspect", image])).unwrap();
    let id = found[0]["Id"].as_str().unwrap();
    (format!("sha256:{}", id.trim_start_matches("sha256:")), strings(&found[0]["RootFS"]["Layers"]))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// podman, with a store of its own.
struct Podman {
    dir: tempfile::TempDir,
}

impl Podman {
    fn new() -> Podman {
        Podman { dir: tempfile::Builder::new().prefix("tinbox-e2e-podman-").tempdir().unwrap() }
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let at = |name: &str| self.dir.path().join(name);
        let mut command = Command::new("podman");
        command.arg("--root").arg(at("root")).arg("--runroot").arg(at("run")).arg("--tmpdir").arg(at("tmp"));
        command.args(["--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=file"]).args(arguments);
        run(&mut command).trim_end().to_owned()
    }
}

/// A daemon in namespaces of its own, which are gone when it is: it sets up no bridge and no firewall but theirs.
struct Docker {
    process: Child,
    dir: tempfile::TempDir,
}

impl Docker {
    fn start() -> Docker {
        let dir = tempfile::Builder::new().prefix("tinbox-e2e-docker-").tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let options = [
            &format!("--data-root={}", at("data")),
            &format!("--exec-root={}", at("exec")),
            &format!("--pidfile={}", at("pid")),
            &format!("--host=unix://{}", at("socket")),
            "--storage-driver=vfs",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--exec-opt=native.cgroupdriver=cgroupfs",
        ];
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation=private", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]);
        command.args(["sh", "-c", "mount -t tmpfs tmpfs /run && ip link set lo up && exec dockerd \"$@\"", "dockerd"]);
        // Whoever kills the tests ends the daemon, too.
        let process = command.args(options).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = process.process_group(0).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let listens = lines.by_ref().inspect(|line| said.push(line.clone())).any(|line| line.contains("API listen on"));
        assert!(listens, "dockerd does not start: {said:#?}");
        // It must be able to go on talking.
        std::thread::spawn(move || lines.for_each(drop));
        Docker { process, dir }
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let socket = format!("unix://{}/socket", self.dir.path().display());
        run(Command::new("docker").args(["--host", &socket]).args(arguments)).trim_end().to_owned()
    }

    /// `unshare`'s child: the daemon.
    fn daemon(&self) -> Option<Pid> {
        let children = PathBuf::from(format!("/proc/{0}/task/{0}/children", self.process.id()));
        std::fs::read_to_string(children).ok()?.split_whitespace().next()?.parse().ok().map(Pid::from_raw)
    }
}

impl Drop for Docker {
    /// Whatever the daemon started is gone when `unshare` is.
    fn drop(&mut self) {
        match self.daemon() {
            Some(daemon) => drop(kill(daemon, Signal::SIGKILL)),
            None => drop(self.process.kill()),
        }
        let _ = self.process.wait();
    }
}
