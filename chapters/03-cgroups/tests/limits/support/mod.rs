//! A root with the attacks in it, and how the program and processes in groups are started.

pub mod need;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use cgroups::{Group, Limits};
use tempfile::TempDir;

/// The program.
pub const CH03: &str = env!("CARGO_BIN_EXE_ch03-cgroups");

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `ch03-cgroups` with these words.
pub fn ch03(words: &str) -> Ended {
    ch03_script(words, &[])
}

/// The same, with more words that may have spaces.
pub fn ch03_script(words: &str, more: &[&str]) -> Ended {
    let mut command = Command::new(CH03);
    let with_root = |word: &str| if word == "ROOT" { root() } else { word.into() };
    command.args(words.split_whitespace().map(with_root));
    ended(command.args(more))
}

pub fn ended(command: &mut Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { status: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ended {
    /// Its standard output, if it went well.
    pub fn ok(&self) -> &str {
        assert_eq!(self.status, 0, "{self:?}");
        &self.stdout
    }
}

static ROOT: OnceLock<Mutex<Option<TempDir>>> = OnceLock::new();

/// A root with a shell, a few commands and the attacks, and what they need to run.
pub fn root() -> PathBuf {
    let made = ROOT.get_or_init(|| {
        let root = tempfile::tempdir().unwrap();
        // Some tests look at it as somebody else.
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["proc", "dev", "bin"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        let attacks = [env!("CARGO_BIN_EXE_fork-bomb"), env!("CARGO_BIN_EXE_memory-hog")];
        for program in ["/bin/sh", "/bin/cat", "/bin/sleep", "/usr/bin/head"].iter().chain(&attacks) {
            add_program(root.path(), Path::new(program));
        }
        Mutex::new(Some(root))
    });
    made.lock().unwrap().as_ref().expect("the tests still run").path().to_owned()
}

fn add_program(root: &Path, program: &Path) {
    let copy = |from: &Path, to: &Path| {
        let to = root.join(to.strip_prefix("/").unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    };
    copy(program, &Path::new("/bin").join(program.file_name().unwrap()));
    let libraries = Command::new("ldd").arg(program).output().unwrap().stdout;
    for word in String::from_utf8(libraries).unwrap().split_whitespace().filter(|word| word.starts_with('/')) {
        copy(Path::new(word), Path::new(word));
    }
}

/// A name that no other test uses.
pub fn id(test: &str) -> String {
    format!("test-{}-{test}", std::process::id())
}

/// Groups of a container, which are taken away with all that is in them.
pub struct Made(pub Arc<Group>, pub String);

impl Made {
    pub fn new(test: &str, limits: &Limits) -> Made {
        let id = id(test);
        let group = Group::create(&id, limits, None, cgroups::settings).unwrap().expect("a place for cgroups");
        Made(Arc::new(group), id)
    }

    /// The command, which will join the group before it is executed.
    pub fn command(&self, words: &str) -> Command {
        let mut words = words.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        let group = self.0.clone();
        // SAFETY: between fork and exec only files are opened, written and closed.
        unsafe { command.args(words).pre_exec(move || group.join().map_err(std::io::Error::other)) };
        command
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        cgroups::remove_leftover(&self.1).unwrap();
    }
}

/// All cgroups of this name, in every tree, found without the library.
pub fn cgroups_named(name: &str) -> Vec<PathBuf> {
    let found = Command::new("find").args(["/sys/fs/cgroup", "-type", "d", "-name", name]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().lines().map(PathBuf::from).collect()
}

/// Leaves the machine as it was.
pub fn clean_up() {
    if let Some(root) = ROOT.get() {
        drop(root.lock().unwrap().take());
    }
    cgroups::tidy();
}
