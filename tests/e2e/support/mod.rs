//! A Tinbox of its own for each test, and ways to look at what it does.

pub mod armed;
pub mod cgroups;
pub mod need;
pub mod process;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, ExitStatus, Output, Stdio};
use std::sync::{Mutex, OnceLock};

use look::Evidence;
use nix::poll::PollTimeout;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// The program under test.
pub const TINBOX: &str = env!("CARGO_BIN_EXE_tinbox");

/// A state directory that is this test's alone, with the embedded image in it.
pub struct Tinbox {
    root: Option<tempfile::TempDir>,
}

impl Tinbox {
    /// One with the embedded image, which all tests share: nobody writes to it.
    pub fn new() -> Tinbox {
        let tinbox = Tinbox::without_images();
        std::os::unix::fs::symlink(shared_images(), tinbox.path("images")).unwrap();
        tinbox
    }

    /// One where nothing was ever run.
    pub fn without_images() -> Tinbox {
        Tinbox::at(tempfile::Builder::new().prefix("tinbox-e2e-").tempdir().unwrap())
    }

    /// One in `root`, which is removed with it.
    pub fn at(root: tempfile::TempDir) -> Tinbox {
        Tinbox { root: Some(root) }
    }

    /// Keeps the directory.
    pub fn into_dir(mut self) -> tempfile::TempDir {
        self.root.take().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.as_ref().unwrap().path().join(name)
    }

    /// `tinbox ARGUMENTS…`, not started yet.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(TINBOX);
        command.args(arguments).env("TINBOX_ROOT", self.path("")).env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// Runs `tinbox ARGUMENTS…` to its end. The arguments are split at blanks.
    pub fn tinbox(&self, arguments: &str) -> Ended {
        Ended::of(self.command(arguments.split_whitespace()).output().unwrap())
    }

    /// Runs `sh -c SCRIPT` in a container of the embedded image, with more `options`, to its end.
    pub fn sh(&self, options: &str, script: &str) -> Ended {
        Ended::of(self.sh_command(options, script).output().unwrap())
    }

    /// [`Tinbox::sh`], not started yet.
    pub fn sh_command(&self, options: &str, script: &str) -> Command {
        let mut command = self.command(["run", "--rm"]);
        command.args(options.split_whitespace()).args(["base", "sh", "-c", script]);
        command
    }

    /// Starts `sh -c SCRIPT` in a container with standard input held open. The script says `ready` when it is.
    pub fn start(&self, options: &str, script: &str) -> Running {
        Running::start(self.sh_command(&format!("-i {options}"), script))
    }

    /// What is left of containers.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let listed = |dir: &str| fs::read_dir(self.path(dir)).into_iter().flatten().flatten().map(|entry| entry.path());
        ["containers", "names", "run", "root"].iter().flat_map(|dir| listed(dir)).collect()
    }
}

impl Drop for Tinbox {
    /// Any verb clears away what a killed one left outside of the directory: its cgroups. An ordinary user's overlay
    /// leaves directories that the usual removal may not look into.
    fn drop(&mut self) {
        if let Some(root) = &self.root {
            if std::fs::read_dir(root.path().join("run")).is_ok_and(|mut leases| leases.next().is_some()) {
                let _ = self.command(["ps"]).output();
            }
            remove_all(root.path());
        }
    }
}

/// Removes a directory with whatever containers and images left in it.
pub fn remove_all(dir: &Path) {
    let removed = match nix::unistd::geteuid().is_root() {
        true => images::remove_tree(dir).map_err(|error| error.to_string()),
        false => removed_by_another_process(dir),
    };
    // A second panic would end the whole run.
    assert!(removed.is_ok() || std::thread::panicking(), "{removed:?}");
}

/// There are threads in this process, and a process that works in a user namespace must not be a copy of it.
fn removed_by_another_process(dir: &Path) -> Result<(), String> {
    let remover = Command::new(std::env::current_exe().unwrap()).env(REMOVE, dir).output().unwrap();
    if remover.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&remover.stderr).into_owned()) }
}

/// Asks this executable to remove a directory as root of the lent ids, which a user's containers and layers belong to.
const REMOVE: &str = "TINBOX_E2E_REMOVE";

/// Plays that part, if it is asked to.
pub fn remove_as_asked() -> Option<ExitCode> {
    let dir = std::env::var_os(REMOVE)?;
    let removed = tinbox::lent_ids::remove_tree(Path::new(&dir));
    Some(removed.inspect_err(|error| eprintln!("{error:#}")).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
}

/// What a program that has ended said.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: Output) -> Ended {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ended { status: code(output.status), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Asserts that it went well, and answers with what it printed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""), "printed: {}", self.stdout);
        self.stdout
    }

    /// Asserts that it failed with `status`, and answers with what it complained about.
    #[track_caller]
    pub fn fails(self, status: i32) -> String {
        assert_eq!((self.status, self.stdout.as_str()), (status, ""), "complained: {}", self.stderr);
        self.stderr
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// A container that runs.
pub struct Running {
    pub tinbox: Child,
    pub stdin: Option<ChildStdin>,
    pub stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Starts `command` and waits for the line `ready`.
    pub fn start(mut command: Command) -> Running {
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut tinbox = pipes.spawn().unwrap();
        let mut running =
            Running { stdin: tinbox.stdin.take(), stdout: BufReader::new(tinbox.stdout.take().unwrap()), tinbox };
        assert_eq!(running.line(), "ready");
        running
    }

    /// The next line that the container prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The process that looks after the container.
    pub fn monitor(&self) -> Pid {
        Pid::from_raw(self.tinbox.id() as i32)
    }

    /// The container's first process, as the host knows it.
    pub fn init(&self) -> Pid {
        children(self.monitor())[0]
    }

    /// What the kernel says about the container's first process.
    pub fn evidence(&self) -> Evidence {
        Evidence::of(self.init()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        nix::sys::signal::kill(self.monitor(), signal).unwrap();
    }

    /// Closes standard input and waits for the end.
    pub fn end(mut self) -> i32 {
        drop(self.stdin.take());
        self.wait()
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> i32 {
        code(self.tinbox.wait().unwrap())
    }
}

impl Drop for Running {
    /// Ends the container, and waits until Tinbox has cleared up after it.
    fn drop(&mut self) {
        drop(self.stdin.take());
        if let Ok(None) = self.tinbox.try_wait() {
            for first in children(self.monitor()) {
                let _ = nix::sys::signal::kill(first, Signal::SIGKILL);
            }
            process::Process::open(self.monitor()).ends_within(PollTimeout::from(20_000_u16));
        }
        let _ = self.tinbox.kill();
        let _ = self.tinbox.wait();
    }
}

/// A program of the chapters, built by the same cargo as this test.
pub fn beside(program: &str) -> PathBuf {
    let path = Path::new(TINBOX).with_file_name(program);
    assert!(path.exists(), "{} is not built: cargo build --workspace --bins", path.display());
    path
}

/// The children of a process.
pub fn children(parent: Pid) -> Vec<Pid> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw))
        .filter(|pid| look::status::Status::of(*pid).is_ok_and(|status| status.parent == parent.as_raw()))
        .collect()
}

/// The mount table of the machine, without numbers that change with every look.
pub fn host_mounts() -> Vec<look::mountinfo::Mount> {
    look::mountinfo::mounts_of(Pid::this()).unwrap()
}

static SHARED: OnceLock<PathBuf> = OnceLock::new();
static MAKING: Mutex<Option<tempfile::TempDir>> = Mutex::new(None);

/// The store with the embedded image, made once.
fn shared_images() -> &'static Path {
    SHARED.get_or_init(|| {
        let dir = tempfile::Builder::new().prefix("tinbox-e2e-images-").tempdir().unwrap();
        let made = Command::new(TINBOX)
            .args(["run", "--rm", "base", "true"])
            .env("TINBOX_ROOT", dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(made.status.success(), "make the embedded image: {}", String::from_utf8_lossy(&made.stderr));
        let images = dir.path().join("images");
        *MAKING.lock().unwrap() = Some(dir);
        images
    })
}

/// Removes what all tests shared.
pub fn clean_up() {
    armed::clean_up();
    drop(MAKING.lock().unwrap().take());
}
