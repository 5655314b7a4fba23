//! The programs of the course, built as a reader's `cargo run` would build them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The packages whose programs the book runs.
pub const PACKAGES: [&str; 5] = ["ch00-look", "ch01-chroot", "ch02-namespaces", "tinbox", "workshop"];

/// Where the programs are.
pub struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Builds them.
    pub fn build() -> Programs {
        let mut cargo = Command::new(cargo());
        cargo.args(["build", "--quiet", "--bins", "--message-format=json", "--manifest-path"]);
        cargo.arg(crate::book().join("../Cargo.toml"));
        cargo.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
        let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("cargo runs");
        assert!(output.status.success(), "the course does not build");
        let records = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        let program = |record: Value| {
            let (name, path) = (record["target"]["name"].as_str()?, record["executable"].as_str()?);
            Some((name.to_owned(), PathBuf::from(path)))
        };
        Programs(records.filter_map(program).collect())
    }

    /// The program of this name.
    pub fn path(&self, name: &str) -> &Path {
        self.0.get(name).unwrap_or_else(|| panic!("{name} was not built"))
    }

    /// The folder that they are all in.
    pub fn folder(&self) -> &Path {
        self.path("tinbox").parent().expect("a program is in a folder")
    }

    /// What keeps this machine from running the book's commands, if something does.
    pub fn blocked(&self) -> Option<String> {
        let mut doctor = Command::new(self.path("workshop"));
        let output = doctor.arg("doctor").env("NO_COLOR", "1").stdin(Stdio::null()).output().expect("the doctor runs");
        match output.status.code() {
            Some(0) => None,
            _ => {
                let text = String::from_utf8_lossy(&output.stdout);
                Some(format!("{} See `cargo workshop doctor`", text.lines().last().unwrap_or("the doctor failed.")))
            }
        }
    }
}

/// The cargo that runs this test.
pub fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}
