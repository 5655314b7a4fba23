//! A learner with a folder of their own.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// The learner. Everything they have is gone when this is dropped.
pub struct Learner(TempDir);

/// What a command said, and its status.
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Learner {
    pub fn new() -> Learner {
        Learner(tempfile::tempdir().expect("a temporary directory"))
    }

    /// Where they stand when they type commands.
    pub fn home(&self) -> &Path {
        self.0.path()
    }

    /// Their file with this name.
    pub fn file(&self, name: &str) -> PathBuf {
        self.home().join("mine").join(name)
    }

    /// Prepares a command for them.
    pub fn prepare(&self, program: &Path) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command.current_dir(self.home()).env("TINBOX_MINE", "mine").env("TINBOX_ROOT", self.home().join("state"));
        command.env("NO_COLOR", "1");
        command
    }

    /// Types `cargo workshop …`.
    pub fn types(&self, arguments: &str) -> Said {
        self.runs(self.prepare(Path::new(env!("CARGO_BIN_EXE_workshop"))).args(arguments.split(' ')))
    }

    /// Runs a command.
    pub fn runs(&self, command: &mut std::process::Command) -> Said {
        let output = Command::from_std(std::mem::replace(command, std::process::Command::new("true"))).output();
        let output = output.expect("the command runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&self.home().display().to_string(), "[home]");
        let status = output.status.code().expect("the command is not killed");
        Said { status, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Writes `text` as the answer to the exercise with this folder.
    pub fn writes(&self, folder: &str, text: &str) {
        std::fs::create_dir_all(self.home().join("mine")).expect("their folder");
        std::fs::write(self.file(&format!("{folder}.rs")), text).expect("their file");
    }

    /// Writes an answer that the course knows: `1.1-naive-root/mutants/no-chdir`.
    pub fn answers(&self, known: &str) {
        let (folder, _) = known.split_once('/').expect("a folder");
        self.writes(folder, &known_answer(known));
    }
}

/// The text of an answer that the course knows.
pub fn known_answer(known: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(format!("{known}.rs"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
