//! A shell at the top of a fresh clone, and somebody who types into it.

use std::fs;
use std::io::{BufRead, BufReader, PipeReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::programs::{ATTACKS, PACKAGES, Programs, cargo};

/// The shell, with a clone and a store of its own. All of it is gone when this is dropped.
pub struct Shell {
    child: Child,
    input: ChildStdin,
    output: BufReader<PipeReader>,
    places: Places,
    _home: TempDir,
}

/// Directories whose names are different in each run.
pub struct Places {
    /// The top of the clone.
    pub clone: PathBuf,
    /// Where `tinbox` keeps its state.
    pub state: PathBuf,
}

/// What a command said, on both streams as a terminal shows them, and its status.
pub struct Said {
    pub text: String,
    pub status: i32,
}

impl Shell {
    pub fn start(programs: &Programs) -> Shell {
        let temp = tempfile::Builder::new().prefix("tinbox-book-").tempdir().unwrap();
        let home = temp.path().canonicalize().unwrap();
        let places = Places { clone: home.join("tinbox"), state: home.join("state") };
        lay_clone(&places.clone);
        let tools = home.join("bin");
        stand_in_for_cargo(&tools, programs);
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
        let (reader, writer) = std::io::pipe().unwrap();
        let mut child = Command::new("sh")
            .current_dir(&places.clone)
            .env("PATH", path)
            .env("TINBOX_MINE", places.clone.join("exercises/mine"))
            .env("TINBOX_ROOT", &places.state)
            .env("CARGO", cargo())
            .env("LC_ALL", "C")
            .env("NO_COLOR", "1")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::piped())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .process_group(0)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        Shell { child, input, output: BufReader::new(reader), places, _home: temp }
    }

    /// Types `command` and waits until the shell is ready for the next one.
    pub fn types(&mut self, command: &str) -> Result<Said, String> {
        const END: char = '\u{1}';
        // A command that reads must not read what is typed next.
        let typed = format!("{{\n{command}\n}} </dev/null\nprintf '\\n\\001%d\\n' $?\n");
        self.input.write_all(typed.as_bytes()).map_err(|error| format!("the shell is gone: {error}"))?;
        let mut text = String::new();
        loop {
            let start = text.len();
            match self.output.read_line(&mut text) {
                Ok(0) => return Err(format!("the shell ended after: {text}")),
                Ok(_) => {}
                Err(error) => return Err(format!("read what {command} says: {error}")),
            }
            if let Some(status) = text[start..].strip_prefix(END) {
                let status = status.trim().parse().map_err(|_| format!("no status: {status}"))?;
                // The line before the end is this function's own.
                text.truncate(start - 1);
                return Ok(Said { text, status });
            }
        }
    }

    /// Saves `text` as the learner's answer to the exercise whose folder `name` starts with.
    pub fn writes_answer(&self, text: &str, name: &str) {
        let stem = name.split('/').next().unwrap_or(name);
        let file = self.places.clone.join("exercises/mine").join(format!("{stem}.rs"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn places(&self) -> &Places {
        &self.places
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // And whatever it left running in the background.
        let _ = killpg(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// What is at the top of the repository, and `exercises/` without a learner's files.
fn lay_clone(clone: &Path) {
    fs::create_dir_all(clone.join("exercises")).unwrap();
    let repository = crate::book().parent().unwrap().to_owned();
    for (from, to) in [(repository.clone(), clone.to_owned()), (repository.join("exercises"), clone.join("exercises"))]
    {
        for entry in fs::read_dir(from).unwrap().flatten() {
            if !["exercises", "mine", "target", "rootfs", "layers"].iter().any(|not| entry.file_name() == *not) {
                symlink(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }
}

/// A `cargo` that starts what is built already where the reader's would build it first, and is the real one else.
fn stand_in_for_cargo(tools: &Path, programs: &Programs) {
    let starts = |words: &str, program: &str| {
        let count = words.split(' ').count();
        format!("'{words} '*|'{words}') shift {count}; program='{}' ;;\n", programs.path(program).display())
    };
    let chapters = PACKAGES.iter().filter(|package| package.starts_with("ch"));
    let chapters: String = chapters.map(|package| starts(&format!("run -q -p {package}"), package)).collect();
    let attacks = ATTACKS.iter().map(|(package, name)| starts(&format!("run -q -p {package} --bin {name}"), name));
    let attacks: String = attacks.collect();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n{attacks}{chapters}{}{}*) exec '{}' \"$@\" ;;\nesac\n\
         [ \"$1\" = -- ] && shift\nexec \"$program\" \"$@\"\n",
        starts("run -q", "tinbox"),
        starts("workshop", "workshop"),
        cargo().display()
    );
    fs::create_dir_all(tools).unwrap();
    let file = tools.join("cargo");
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}
