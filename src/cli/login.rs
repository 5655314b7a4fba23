//! `tinbox login`: says to a registry who you are, and keeps it for next time.

use std::io::{BufRead, IsTerminal, Read, Write, stdin, stdout};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Arg, ArgMatches, Command};

use super::password::ask_silently;
use crate::Stages;
use crate::cli::options::{flag, tls_argument, tls_verify};
use crate::cli::registry;
use crate::registry::{Access, Credentials, Error, login};
use crate::say::{print, say};

/// No password is longer.
pub const LONGEST: usize = 64 << 10;

/// Arguments, as `docker login` has them.
pub fn command() -> Command {
    Command::new("login")
        .args([
            Arg::new("username").long("username").short('u').value_name("NAME").help("Your name there"),
            Arg::new("password").long("password").short('p').value_name("PASSWORD").help("Your password or token"),
            flag("password-stdin", "Read the password from standard input").conflicts_with("password"),
            tls_argument(),
            Arg::new("server").value_name("SERVER").help("The registry [default: docker.io]"),
        ])
        .after_help(
            "It is kept in $DOCKER_CONFIG/config.json or ~/.docker/config.json, where docker and others find it too,\n\
             or by the credential helper that is set there.\n\n\
             Examples:\n  \
             tinbox login localhost:5000\n  \
             pass registry | tinbox login -u me --password-stdin ghcr.io",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let server = registry::registry(matches.get_one("server"));
    let access = Access::from_environment(tls_verify(matches))?;
    let given = |name: &str| matches.get_one::<String>(name).cloned();
    let asked_for = given("username").or(given("password")).is_some() || matches.get_flag("password-stdin");
    if !asked_for && let Some(known) = login::known(server, &access)? {
        print("Authenticating with existing credentials...")?;
        match login::check(server, known, &access) {
            Ok(()) => return print("Login Succeeded").map(|()| ExitCode::SUCCESS),
            Err(error) if error.status() == Some(401) => print("Stored credentials invalid or expired")?,
            Err(error) => return Err(error.into()),
        }
    }
    let credentials = credentials(matches)?;
    login::check(server, credentials.clone(), &access).map_err(|error| explain(server, error))?;
    if login::keep(server, &credentials, &access)? {
        say!("WARNING! Your password will be stored unencrypted in {}.", access.credentials.path().display());
        say!("Configure a credential helper to remove this warning. See");
        say!("https://docs.docker.com/engine/reference/commandline/login/#credentials-store\n");
    }
    print("Login Succeeded")?;
    Ok(ExitCode::SUCCESS)
}

fn explain(server: &str, error: Error) -> anyhow::Error {
    match error.status() {
        Some(401 | 403) => anyhow::Error::from(error).context(format!("login attempt to {server} failed")),
        _ => error.into(),
    }
}

/// From the options, from standard input, or by asking.
fn credentials(matches: &ArgMatches) -> Result<Credentials> {
    let name = matches.get_one::<String>("username").cloned();
    let password = if matches.get_flag("password-stdin") {
        ensure!(name.is_some(), "Must provide --username with --password-stdin");
        let mut text = String::new();
        stdin().take(LONGEST as u64).read_to_string(&mut text).context("read the password from standard input")?;
        Some(text.trim_end_matches(['\r', '\n']).to_owned())
    } else {
        let password = matches.get_one::<String>("password").cloned();
        if password.is_some() {
            say!("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
        }
        password
    };
    if name.is_none() || password.is_none() {
        ensure!(stdin().is_terminal(), "Cannot perform an interactive login from a non TTY device");
    }
    let name = match name {
        Some(name) => name,
        None => ask("Username: ")?,
    };
    ensure!(!name.is_empty(), "username required");
    ensure!(!name.contains(':'), "a user name with a colon in it cannot be sent: RFC 7617 has the colon as its end");
    let password = match password {
        Some(password) => password,
        None => ask_silently("Password: ")?,
    };
    ensure!(!password.is_empty(), "password is empty");
    Ok(Credentials::Password { name, password })
}

/// Asks, and shows what is typed.
fn ask(question: &str) -> Result<String> {
    write!(stdout(), "{question}").and_then(|()| stdout().flush()).context("write to standard output")?;
    let mut line = Vec::new();
    stdin().lock().take(LONGEST as u64).read_until(b'\n', &mut line).context("read from the terminal")?;
    answer(line)
}

/// The text of a line that was typed, without its end.
pub fn answer(line: Vec<u8>) -> Result<String> {
    let mut line = String::from_utf8(line).context("what was typed is not UTF-8")?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}
