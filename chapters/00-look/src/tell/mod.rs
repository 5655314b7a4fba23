//! Telling: each call that builds or changes a container, as it happens.
//!
//! `--explain` turns it on. Off, a call pays for one load of an atomic flag. On, each call becomes one line
//! and one `write(2)`, so that two processes (the runtime outside, the init inside) can tell into the same
//! descriptor without mixing their lines.

mod text;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, describe};
use crate::namespaces::Kind;

/// One call, told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Which process made the call: the runtime outside, or the container's first process inside.
    pub side: Side,
    /// The chapter that teaches this step.
    pub chapter: u8,
    /// The system call.
    pub call: String,
    /// What it acted on.
    pub object: String,
    /// How many times it was made in a row, where that is more than once.
    #[serde(skip_serializing_if = "is_once", default = "once")]
    pub times: u32,
    /// What it is for.
    pub why: String,
    /// The manual page that describes it.
    pub man: String,
    /// How long the kernel took, in microseconds. Absent for a call that is told before it is made: one that does
    /// not come back, or comes back twice.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub took_us: Option<f64>,
    /// What the kernel answered, if it refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

fn once() -> u32 {
    1
}

fn is_once(times: &u32) -> bool {
    *times == 1
}

/// Where a call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// In the process that the user started.
    Outside,
    /// In the container's first process, before it becomes the user's program.
    Inside,
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line for people.
    Text,
    /// A JSON object on a line ([`Event`]).
    Json,
}

struct Teller {
    format: Format,
    to: OwnedFd,
}

static TELLER: OnceLock<Teller> = OnceLock::new();
static ON: AtomicBool = AtomicBool::new(false);
static INSIDE: AtomicBool = AtomicBool::new(false);
static CHAPTER: AtomicU8 = AtomicU8::new(0);

/// Starts telling into `to`, for this process and the children it clones. A second call changes nothing.
pub fn start(format: Format, to: OwnedFd) {
    if TELLER.set(Teller { format, to }).is_ok() {
        ON.store(true, Ordering::Relaxed);
    }
}

/// Starts telling on a copy of standard error, which stays open whatever becomes of that. If there is none, there is
/// nobody to tell.
pub fn start_on_stderr(format: Format) {
    if let Ok(copy) = std::io::stderr().as_fd().try_clone_to_owned() {
        start(format, copy);
    }
}

/// Whether anybody listens.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Says that this process is from now on the one inside.
pub(crate) fn now_inside() {
    INSIDE.store(true, Ordering::Relaxed);
}

/// Runs `stage` and tells its calls as steps of `chapter`.
pub fn chapter<T>(chapter: u8, stage: impl FnOnce() -> T) -> T {
    let before = CHAPTER.swap(chapter, Ordering::Relaxed);
    let result = stage();
    CHAPTER.store(before, Ordering::Relaxed);
    result
}

/// What a new process has of its own, and what it shares with the one that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Namespaces that only the new process is in.
    pub own: Vec<Kind>,
    /// Namespaces that both are in.
    pub shared: Vec<Kind>,
}

/// Tells what was found by looking at the new process.
pub fn compared(comparison: &Comparison) {
    write_line(|format| match format {
        Format::Json => serde_json::to_string(comparison).unwrap_or_default(),
        Format::Text => text::comparison(comparison),
    });
}

/// Makes a call through `attempt`, tells it, and gives an error its context.
pub(crate) fn told<T>(
    call: &'static str,
    object: impl Fn() -> String,
    why: &str,
    attempt: impl FnOnce() -> std::result::Result<T, Errno>,
) -> Result<T> {
    told_times(1, call, object, why, attempt)
}

/// [`told`] for an `attempt` that makes the same call `times` times.
///
/// `object` is only formatted when somebody listens or the call fails.
pub(crate) fn told_times<T>(
    times: usize,
    call: &'static str,
    object: impl Fn() -> String,
    why: &str,
    attempt: impl FnOnce() -> std::result::Result<T, Errno>,
) -> Result<T> {
    let started = is_on().then(Instant::now);
    let outcome = attempt();
    if let Some(started) = started {
        say(&event(call, &object(), why, times, Some(started.elapsed()), outcome.as_ref().err().copied()));
    }
    outcome.map_err(|errno| Error::call(call, object(), errno))
}

/// Tells a call before it is made: one that does not come back when it succeeds, or comes back twice.
pub fn about_to(call: &'static str, object: &str, why: &str) {
    if is_on() {
        say(&event(call, object, why, 1, None, None));
    }
}

fn event(call: &str, object: &str, why: &str, times: usize, took: Option<Duration>, errno: Option<Errno>) -> Event {
    Event {
        side: if INSIDE.load(Ordering::Relaxed) { Side::Inside } else { Side::Outside },
        chapter: CHAPTER.load(Ordering::Relaxed),
        call: call.to_owned(),
        object: object.to_owned(),
        times: times as u32,
        why: why.to_owned(),
        man: man_page(call, object),
        took_us: took.map(|t| (t.as_secs_f64() * 1e7).round() / 10.0),
        error: errno.map(describe),
    }
}

fn say(event: &Event) {
    write_line(|format| match format {
        Format::Json => serde_json::to_string(event).unwrap_or_default(),
        Format::Text => text::event(event),
    });
}

fn write_line(line: impl FnOnce(Format) -> String) {
    let Some(teller) = TELLER.get() else { return };
    let line = line(teller.format) + "\n";
    // A listener that has gone away must not stop a container from starting.
    let _ = nix::unistd::write(&teller.to, line.as_bytes());
}

/// The manual page that describes `call` on `object`.
fn man_page(call: &str, object: &str) -> String {
    match call {
        "clone3" => "clone(2)".into(),
        "umount2" => "umount(2)".into(),
        "fchdir" => "chdir(2)".into(),
        "fchown" => "chown(2)".into(),
        "setresgid" => "setresuid(2)".into(),
        "ioctl" if object.starts_with("SIOC") => "netdevice(7)".into(),
        "ioctl" => "ioctl_tty(2)".into(),
        "write timens_offsets" => "time_namespaces(7)".into(),
        "write tasks" => "cgroups(7)".into(),
        limit if limit.starts_with("write ") && limit.contains('.') => "cgroups(7)".into(),
        mapping if mapping.starts_with("write ") => "user_namespaces(7)".into(),
        at if at.ends_with("at") => format!("{}(2)", at.trim_end_matches("at")),
        other => format!("{other}(2)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn man_pages() {
        for (call, page) in [
            ("mount", "mount(2)"),
            ("clone3", "clone(2)"),
            ("mknodat", "mknod(2)"),
            ("umount2", "umount(2)"),
            ("write uid_map", "user_namespaces(7)"),
        ] {
            assert_eq!(man_page(call, ""), page);
        }
    }
}
