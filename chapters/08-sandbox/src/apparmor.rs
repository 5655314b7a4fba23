//! AppArmor, where the kernel has it: a profile that says once more, by path and by name, what a container may do.
//!
//! It is the layer that still holds when a capability was given too generously: a container with `SYS_ADMIN` cannot
//! mount, one with a writable `/proc/sys` cannot write there, one that sees the machine's processes cannot signal them.
//! The kernel takes profiles in compiled form; the compiler is apparmor_parser(8), which root's first container runs
//! once. The profile then stays until the next boot.
//!
//! Before Linux 6.7, AppArmor does not see move_mount(2): there, "cannot mount" holds for mount(2) alone.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use look::kernel;
use look::{Error, Result};

/// The name of Tinbox's own profile.
pub const DEFAULT: &str = "tinbox-default";

/// Whether this kernel enforces AppArmor.
pub fn is_enabled() -> bool {
    std::fs::read("/sys/module/apparmor/parameters/enabled").is_ok_and(|answer| answer.starts_with(b"Y"))
}

/// Whether the kernel has this profile; `None` if it does not let this user know.
pub fn is_loaded(profile: &str) -> Option<bool> {
    let loaded = std::fs::read_to_string("/sys/kernel/security/apparmor/profiles").ok()?;
    Some(loaded.lines().any(|line| line.split(" (").next() == Some(profile)))
}

/// Gives the kernel Tinbox's own profile, if it has not got it. Answers whether it has now: where nobody can look, or
/// apparmor_parser(8) is not installed, it has not. Fails if the profile is refused.
///
/// A profile of this name that somebody has loaded before stays as it is.
pub fn load_default() -> anyhow::Result<bool> {
    match is_loaded(DEFAULT) {
        Some(false) => load(&format!("{}{PROFILE}", abi())),
        Some(true) => Ok(true),
        None => Ok(false),
    }
}

/// The line that fixes the version of the language, where the parser has that version to hand.
fn abi() -> &'static str {
    if Path::new("/etc/apparmor.d/abi/3.0").exists() { "abi <abi/3.0>,\n" } else { "" }
}

/// Has `profile` compiled and loaded. Answers whether there is a compiler to do so.
fn load(profile: &str) -> anyhow::Result<bool> {
    let running = match run_parser() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        running => running,
    };
    let said = running.and_then(|mut parser| {
        // Whether the parser has read all of it is what its status says.
        let _ = parser.stdin.take().map(|mut input| input.write_all(profile.as_bytes()));
        parser.wait_with_output()
    });
    let said = said.context("run apparmor_parser")?;
    let problem = String::from_utf8_lossy(&said.stderr);
    ensure!(
        said.status.success(),
        "load the AppArmor profile {DEFAULT}: apparmor_parser: {}\n  \
         help: `--security-opt apparmor=unconfined` does without",
        problem.trim()
    );
    Ok(true)
}

/// The parser, which waits for a profile. `--replace` also adds, and takes no offence if another Tinbox was quicker.
fn run_parser() -> std::io::Result<Child> {
    // Root that was become with su(1) may have a PATH without the directories that are root's.
    let mut started = Err(ErrorKind::NotFound.into());
    for program in ["apparmor_parser", "/usr/sbin/apparmor_parser", "/sbin/apparmor_parser"] {
        let mut parser = Command::new(program);
        parser.args(["--replace", "--skip-cache"]);
        started = parser.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        if !started.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            break;
        }
    }
    started
}

/// Puts this process, and what it becomes and starts, under `profile`.
///
/// It is done now and not at the next execve, which AppArmor could do as well: there, a process that changes its profile
/// loses the signal that it is to get when its parent dies (`PDEATHSIG`). So `profile` must allow what is still to come:
/// to become a program in memory, which has no path, and that to become the command. `file,` does, with the flag
/// `attach_disconnected`, and so does `/ ix,`.
pub fn confine(profile: &str) -> Result<()> {
    // Since Linux 5.8 AppArmor has a directory of its own there.
    let paths = ["/proc/thread-self/attr/apparmor/current", "/proc/thread-self/attr/current"];
    let path = if Path::new(paths[0]).exists() { paths[0] } else { paths[1] };
    let file = OpenOptions::new().write(true).open(path).map_err(|error| Error::io("open", path, &error))?;
    let request = format!("changeprofile {profile}");
    kernel::write_setting(file.as_fd(), path, &request, "AppArmor's say, by path and by name")
}

/// What a container may do to files and to others: anything, except for what is denied below, which no other rule
/// can allow again. Processes under the same profile may signal and trace each other.
///
/// It includes no file of the machine's policy, and so uses none of the variables that are defined there.
const PROFILE: &str = r#"
profile tinbox-default flags=(attach_disconnected,mediate_deleted) {
  network,
  capability,
  file,
  umount,
  signal (receive) peer=unconfined,
  signal (send,receive) peer=tinbox-default,
  ptrace (trace,read,tracedby,readby) peer=tinbox-default,

  deny mount,
  deny /proc/* wkl,
  deny /proc/[^0-9]*/** wkl,
  deny /proc/{kcore,sysrq-trigger} rwklx,
  deny /sys/** wkl,
  deny /sys/{firmware,kernel/security,devices/virtual/powercap}/** rwklx,
}
"#;
