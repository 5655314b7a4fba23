//! Options in front of the verb. Docker has them for its client and its daemon, and scripts give them.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Arg;

use crate::container::OWN_ERROR;
use crate::say::{print, program, say};

/// Those that `--help` shows: the others change nothing here.
pub fn arguments() -> [Arg; 1] {
    [Arg::new("config").long("config").value_name("DIR").help("Where config.json is, with logins [default: ~/.docker]")]
}

/// Takes those that `arguments` begin with, behind the program's name, out of them, and does what they say. An error is
/// the status to end with: all is said then.
pub fn take(arguments: &mut Vec<OsString>) -> Result<(), ExitCode> {
    while let Some(given) = arguments.get(1).and_then(|given| given.to_str()).map(str::to_owned) {
        let (name, attached) = split(&given);
        match name {
            "-v" | "--version" => return Err(print(&version()).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)),
            "-D" | "--debug" => {}
            "--config" | "-l" | "--log-level" | "-c" | "--context" | "-H" | "--host" => {
                if attached.is_none() && arguments.len() < 3 {
                    return Err(refuse(&format!("flag needs an argument: {name}")));
                }
                let value = attached.map_or_else(|| arguments.remove(2), OsString::from);
                obey(name, value)?;
            }
            _ => break,
        }
        arguments.remove(1);
    }
    Ok(())
}

/// `--name=value`, `--name`, `-n=value`, `-nvalue` or `-n`.
fn split(given: &str) -> (&str, Option<&str>) {
    if given.starts_with("--") {
        return given.split_once('=').map_or((given, None), |(name, value)| (name, Some(value)));
    }
    let (name, value) = given.split_at_checked(2).unwrap_or((given, ""));
    (name, Some(value.strip_prefix('=').unwrap_or(value)).filter(|value| !value.is_empty()))
}

fn obey(name: &str, value: OsString) -> Result<(), ExitCode> {
    match name {
        // SAFETY: there are no other threads yet that could read the environment.
        "--config" => unsafe { std::env::set_var("DOCKER_CONFIG", value) },
        "-l" | "--log-level" => {}
        "-c" | "--context" if value.is_empty() || value == "default" => {}
        "-c" | "--context" => {
            return Err(refuse(&format!("context {value:?} not found: there is only `default`, this machine")));
        }
        _ if value.is_empty() => {}
        _ => {
            return Err(refuse(&format!(
                "{name} {}: no daemon is needed and none is asked: everything happens on this machine",
                value.to_string_lossy()
            )));
        }
    }
    Ok(())
}

fn refuse(sentence: &str) -> ExitCode {
    say!("tinbox: {sentence}");
    ExitCode::from(OWN_ERROR)
}

/// As docker has it, for scripts that read the number: that of the Docker whose words and formats these are.
fn version() -> String {
    let own = env!("CARGO_PKG_VERSION");
    if program() == "docker" { format!("Docker version 20.10.24, build tinbox-{own}") } else { format!("tinbox {own}") }
}
