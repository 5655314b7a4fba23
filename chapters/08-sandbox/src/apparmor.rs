//! AppArmor, where the kernel has it: a profile that says once more, by path and by name, what a container may do.
//!
//! It is the layer that still holds when a capability was given too generously: a container with `SYS_ADMIN` cannot
//! mount, one with a writable `/proc/sys` cannot write there. The kernel takes profiles in compiled form; the
//! compiler is apparmor_parser(8).

use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};

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

/// Gives the kernel Tinbox's own profile, if it has not got it. Answers whether it has now: apparmor_parser(8) may not
/// be there.
pub fn load_default() -> bool {
    match is_loaded(DEFAULT) {
        Some(false) => parse(PROFILE).unwrap_or(false),
        Some(true) => true,
        None => false,
    }
}

fn parse(profile: &str) -> std::io::Result<bool> {
    let mut parser = Command::new("apparmor_parser")
        .args(["--add", "--skip-cache"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = parser.stdin.take() {
        input.write_all(profile.as_bytes())?;
    }
    Ok(parser.wait()?.success())
}

/// Puts the program that this process becomes next under `profile`.
pub fn confine_on_exec(profile: &str) -> Result<()> {
    let paths = ["/proc/thread-self/attr/apparmor/exec", "/proc/thread-self/attr/exec"];
    let path = if Path::new(paths[0]).exists() { paths[0] } else { paths[1] };
    let file = OpenOptions::new().write(true).open(path).map_err(|error| Error::io("open", path, &error))?;
    kernel::write_setting(file.as_fd(), path, &format!("exec {profile}"), "AppArmor's say, by path and by name")
}

/// What a container may do to files and to others. Processes under the same profile may signal and trace each other.
const PROFILE: &str = r#"
abi <abi/3.0>,
profile tinbox-default flags=(attach_disconnected,mediate_deleted) {
  network,
  capability,
  file,
  umount,
  signal (receive) peer=unconfined,
  signal (send,receive) peer=tinbox-default,
  ptrace (trace,read,tracedby,readby) peer=tinbox-default,

  deny mount,
  deny @{PROC}/sys/** wkl,
  deny @{PROC}/{kcore,kmem,mem,sysrq-trigger} rwklx,
  deny /sys/** wkl,
  deny /sys/{firmware,kernel/security,devices/virtual/powercap}/** rwklx,
}
"#;
