//! Credential helpers: programs named `docker-credential-NAME` that keep secrets where they are safe.
//!
//! The protocol: <https://github.com/docker/docker-credential-helpers>. The action is the only argument; what it
//! is about comes on standard input, the result on standard output.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::Credentials;
use crate::text::printable;

/// No answer of a helper is larger.
const LARGEST: u64 = 1 << 20;
/// What helpers say when they have nothing.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The user name that says that the secret is an identity token.
const TOKEN: &str = "<token>";

/// A secret, as helpers spell it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Secret {
    #[serde(rename = "ServerURL", default)]
    server_url: String,
    username: String,
    secret: String,
}

/// What the helper `name` knows about a registry.
pub fn get(name: &str, registry: &str) -> Result<Option<Credentials>> {
    let Some(answer) = run(name, "get", registry.as_bytes())? else { return Ok(None) };
    let secret: Secret =
        serde_json::from_slice(&answer).with_context(|| format!("docker-credential-{name} get: its answer"))?;
    Ok(match (secret.username, secret.secret) {
        (_, secret) if secret.is_empty() => None,
        (name, token) if name == TOKEN => Some(Credentials::IdentityToken(token)),
        (name, password) => Some(Credentials::Password { name, password }),
    })
}

/// Gives the helper `name` something to keep.
pub fn store(name: &str, registry: &str, credentials: &Credentials) -> Result<()> {
    let (username, secret) = match credentials {
        Credentials::Password { name, password } => (name.as_str(), password),
        Credentials::IdentityToken(token) => (TOKEN, token),
        Credentials::RegistryToken(_) => bail!("a registry token cannot be kept by docker-credential-{name}"),
    };
    let secret = Secret { server_url: registry.to_owned(), username: username.to_owned(), secret: secret.to_owned() };
    run(name, "store", &serde_json::to_vec(&secret)?).map(drop)
}

/// Lets the helper `name` forget a registry.
pub fn erase(name: &str, registry: &str) -> Result<()> {
    run(name, "erase", registry.as_bytes()).map(drop)
}

/// What a helper prints. `None` if it has nothing.
fn run(name: &str, action: &str, input: &[u8]) -> Result<Option<Vec<u8>>> {
    let program = format!("docker-credential-{name}");
    let mut command = Command::new(&program);
    command.arg(action).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let missing = || format!("{program} {action}: Docker's configuration names it, but it cannot be run");
    let mut child = command.spawn().with_context(missing)?;
    // A helper that does not listen has its reasons, and tells them on standard output.
    let _ = child.stdin.take().context("no pipe to the helper")?.write_all(input);
    let mut output = Vec::new();
    let stdout = child.stdout.take().context("no pipe from the helper")?;
    stdout.take(LARGEST).read_to_end(&mut output).with_context(|| format!("read from {program}"))?;
    let status = child.wait().with_context(|| format!("wait for {program}"))?;
    let said = printable(String::from_utf8_lossy(&output).trim());
    if !status.success() && said.contains(NOT_FOUND) {
        return Ok(None);
    }
    ensure!(status.success(), "{program} {action}: {status}: {said}");
    Ok(Some(output))
}
