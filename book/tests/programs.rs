//! The programs of the course, built as a reader's `cargo run` would build them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::geteuid;
use serde_json::Value;

use crate::script::{NEEDS, Need};

/// The packages whose programs the book runs.
pub const PACKAGES: [&str; 8] = [
    "ch00-look",
    "ch01-chroot",
    "ch02-namespaces",
    "ch03-cgroups",
    "ch04-images",
    "ch08-sandbox",
    "tinbox",
    "workshop",
];

/// Programs that the book runs besides the one that has its package's name: package and program.
pub const ATTACKS: [(&str, &str); 2] = [("ch04-images", "evil-layer"), ("ch04-images", "naive-unpack")];

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

    /// What this machine cannot do.
    pub fn blocked(&self) -> Blocked {
        let mut doctor = Command::new(self.path("workshop"));
        doctor.args(["doctor", "--format", "json"]).stdin(Stdio::null());
        let output = doctor.output().expect("the doctor runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("the doctor answers in JSON");
        let numbers = report["blocked"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Blocked { checks: numbers.map(str::to_owned).collect(), limits: self.limits_are_refused() }
    }

    /// Why no container can have limits here, if none can.
    fn limits_are_refused(&self) -> Option<String> {
        let state = tempfile::tempdir().expect("a directory");
        let mut tinbox = Command::new(self.path("tinbox"));
        tinbox.args(["run", "--rm", "--memory", "32m", "--cpus", "0.5", "--pids-limit", "20", "base", "true"]);
        let output = tinbox.env("TINBOX_ROOT", state.path()).stdin(Stdio::null()).output().expect("tinbox runs");
        let said = String::from_utf8_lossy(&output.stderr);
        (!output.status.success()).then(|| said.lines().next().unwrap_or("no container with limits").to_owned())
    }
}

/// What this machine cannot do.
pub struct Blocked {
    /// The exercises that cannot be checked.
    checks: Vec<String>,
    /// Why no container can have limits.
    limits: Option<String>,
}

impl Blocked {
    /// What keeps this machine from running a transcript, if something does.
    pub fn reason(&self, transcript: &str) -> Option<String> {
        let by_check = |number: &str| format!("{number} cannot be checked here. See `cargo workshop doctor`");
        // What every page builds on.
        if let Some(number) = self.checks.iter().find(|number| number.as_str() < "3") {
            return Some(by_check(number));
        }
        match NEEDS.iter().find(|(name, _)| *name == transcript)?.1 {
            Need::Limits => self.limits.clone(),
            Need::Root => (!geteuid().is_root()).then(|| "shown as root sees it, and you are not".to_owned()),
            Need::Check(number) => self.checks.iter().any(|one| one == number).then(|| by_check(number)),
            Need::AllChecks => self.checks.first().map(|number| by_check(number)),
        }
    }
}

/// The cargo that runs this test.
pub fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}
