//! Building packages of the course, some with the learner's files in them.

use std::fs::File;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use catalog::{Exercise, module};
use serde_json::Value;

use crate::course;
use crate::mine::Mine;

/// What the compiler said about the answers.
#[derive(Debug)]
pub struct Answers {
    /// The program with the answers in it, if it could be built.
    pub program: Option<PathBuf>,
    /// What it said about each learner's file.
    pub messages: Vec<Message>,
    /// While this is held, no other workshop replaces the program.
    #[expect(dead_code, reason = "held, not used")]
    pub lock: Lock,
}

/// Something that the compiler said about an exercise's file.
#[derive(Debug)]
pub struct Message {
    /// The exercise.
    pub exercise: &'static Exercise,
    /// Whether it is an error; else a warning.
    pub is_error: bool,
    /// Whether the file itself is fine, but does not hold the function that the course calls.
    pub signature: bool,
    /// As the compiler shows it.
    pub rendered: String,
}

/// Builds the answers: the learner's for `exercises`, the starters for the others.
pub fn answers(mine: &Mine, exercises: &[&Exercise]) -> Result<Answers> {
    let lock = lock()?;
    let mut cargo = cargo("answers", "subject");
    cargo.env(module::MINE, mine.folder()).env(module::ANSWERS, numbers(exercises));
    let output = output(&mut cargo, "subject")?;
    let messages = messages(mine, exercises, &output);
    if !output.status.success() && !messages.iter().any(|message| message.is_error) {
        bail!("the course itself does not build:\n{}", text_of(&output));
    }
    let program = output.status.success().then(|| executable(&output)).transpose()?;
    Ok(Answers { program, messages, lock })
}

/// Builds the runtime with the learner's functions for `exercises`.
pub fn runtime(mine: &Mine, exercises: &[&Exercise]) -> Result<(PathBuf, Lock)> {
    let lock = lock()?;
    let mut cargo = cargo("runtime", "runtime");
    if !is_built("runtime")? && !std::io::stderr().is_terminal() {
        eprintln!("building runtime for the first time");
    }
    cargo.env(module::MINE, mine.folder()).env(module::SEAMS, numbers(exercises));
    Ok((built(&mut cargo, "runtime")?, lock))
}

/// Builds a program of the course that holds nothing of the learner's.
pub fn program(package: &str, binary: &str) -> Result<PathBuf> {
    built(&mut cargo(package, binary), binary)
}

fn built(cargo: &mut Command, binary: &str) -> Result<PathBuf> {
    let output = output(cargo, binary)?;
    if !output.status.success() {
        bail!("{binary} does not build:\n{}", text_of(&output));
    }
    executable(&output)
}

/// The cargo that runs this program, or the one on the PATH.
pub fn cargo_command() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn cargo(package: &str, binary: &str) -> Command {
    let mut cargo = cargo_command();
    let coloured = colored::control::SHOULD_COLORIZE.should_colorize();
    cargo.arg("build").arg("--manifest-path").arg(course::repository().join("Cargo.toml"));
    cargo.args(["--package", package, "--bin", binary]);
    cargo.arg(if coloured { "--message-format=json-diagnostic-rendered-ansi" } else { "--message-format=json" });
    cargo
}

/// Runs cargo. The first build of `binary` takes a while, so then cargo's own words are shown.
fn output(cargo: &mut Command, binary: &str) -> Result<Output> {
    if !is_built(binary)? && std::io::stderr().is_terminal() {
        eprintln!("building {binary} for the first time");
        cargo.stderr(Stdio::inherit());
    } else {
        cargo.arg("--quiet").stderr(Stdio::piped());
    }
    cargo.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = cargo.spawn().with_context(|| format!("run {}", cargo.get_program().display()))?;
    child.wait_with_output().context("wait for cargo")
}

/// Whether it was built before. Cargo puts all programs beside each other.
fn is_built(binary: &str) -> Result<bool> {
    Ok(std::env::current_exe()?.with_file_name(binary).exists())
}

/// Everything that cargo and the compiler said.
fn text_of(output: &Output) -> String {
    let rendered = records(output).filter_map(|r| Some(r["message"]["rendered"].as_str()?.to_owned()));
    rendered.collect::<String>() + &String::from_utf8_lossy(&output.stderr)
}

fn records(output: &Output) -> impl Iterator<Item = Value> {
    output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

fn executable(output: &Output) -> Result<PathBuf> {
    let paths = records(output).filter_map(|record| Some(PathBuf::from(record["executable"].as_str()?)));
    paths.last().context("cargo built nothing that can be run")
}

fn messages(mine: &Mine, exercises: &[&Exercise], output: &Output) -> Vec<Message> {
    let said = records(output).filter(|record| record["reason"] == "compiler-message");
    said.filter_map(|record| message(mine, exercises, &record["message"])).collect()
}

fn message(mine: &Mine, exercises: &[&Exercise], said: &Value) -> Option<Message> {
    let spans = said["spans"].as_array()?;
    let primary = spans.iter().find(|span| span["is_primary"] == true)?;
    let in_file = |exercise: &Exercise| {
        let file = mine.file(exercise);
        let is_it = |span: &Value| span["file_name"].as_str().is_some_and(|name| Path::new(name) == file);
        // What a macro does wrong is shown where the macro is called.
        is_it(primary) || is_it(&primary["expansion"]["span"])
    };
    // The generated code that calls the function has a line for each exercise.
    let in_call = |exercise: &Exercise| {
        primary["text"].to_string().contains(&format!("(\\\"{}\\\", \\\"yours\\\")", exercise.number))
    };
    catalog::ALL.iter().filter(|exercise| exercises.contains(exercise)).find_map(|exercise| {
        let signature = in_call(exercise);
        (signature || in_file(exercise)).then(|| Message {
            exercise,
            is_error: said["level"] == "error",
            signature,
            rendered: said["rendered"].as_str().unwrap_or_default().to_owned(),
        })
    })
}

fn numbers(exercises: &[&Exercise]) -> String {
    exercises.iter().map(|exercise| exercise.number).collect::<Vec<_>>().join(",")
}

/// Kept by a workshop from the moment it builds a program until it has started it. Two workshops share the folder
/// that cargo builds into, and may have different files.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not used")] File);

fn lock() -> Result<Lock> {
    let path = std::env::current_exe()?.with_file_name("workshop.lock");
    let file = File::create(&path).with_context(|| format!("open {}", path.display()))?;
    file.lock().with_context(|| format!("lock {}", path.display()))?;
    Ok(Lock(file))
}
