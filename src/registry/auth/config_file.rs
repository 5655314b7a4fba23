//! Docker's configuration file, `config.json`: where `login` keeps what it was told, and where everything else that
//! knows registries looks for it.
//!
//! ```json
//! {
//!   "auths": { "registry.example.com": { "auth": "<base64 of NAME:PASSWORD>" } },
//!   "credsStore": "pass",
//!   "credHelpers": { "ghcr.io": "secretservice" }
//! }
//! ```
//!
//! Whatever else is in it belongs to Docker's own client and is kept as it is.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Credentials;
use crate::registry::access::read_if_there;

/// Where the file is. It is read whenever something is asked of it, so that nothing old is written back.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    path: PathBuf,
}

impl ConfigFile {
    /// `config.json` in `$DOCKER_CONFIG`, or else in `~/.docker`.
    pub fn locate() -> Result<ConfigFile> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let directory = variable("DOCKER_CONFIG").or_else(|| variable("HOME").map(|home| home.join(".docker")));
        let directory = directory.context("neither DOCKER_CONFIG nor HOME says where credentials are kept")?;
        Ok(ConfigFile::at(directory.join("config.json")))
    }

    /// The file at `path`.
    pub fn at(path: PathBuf) -> ConfigFile {
        ConfigFile { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The credential helper for a registry (`docker-credential-NAME`), if one is set.
    pub fn helper(&self, registry: &str) -> Result<Option<String>> {
        let config = self.read()?;
        let own = config.get("credHelpers").and_then(|helpers| helpers.get(registry));
        let name = own.or(config.get("credsStore")).and_then(Value::as_str).filter(|name| !name.is_empty());
        if let Some(name) = name {
            let is_word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            ensure!(is_word, "{}: {name:?} is no name of a credential helper", self.path.display());
        }
        Ok(name.map(str::to_owned))
    }

    /// What is kept in the file itself for a registry.
    pub fn find(&self, registry: &str) -> Result<Option<Credentials>> {
        let config = self.read()?;
        let Some(entries) = config.get("auths").and_then(Value::as_object) else { return Ok(None) };
        // Older clients kept whole URLs.
        let matching = entries.iter().find(|(key, _)| host_of(key) == host_of(registry)).map(|(_, entry)| entry);
        let Some(entry) = entries.get(registry).or(matching) else { return Ok(None) };
        let wrong = || format!("{}: the entry of {registry} is no credential", self.path.display());
        credentials(entry).with_context(wrong)
    }

    /// Keeps credentials for a registry, or only that there are some, with a helper.
    pub fn store(&self, registry: &str, credentials: Option<&Credentials>) -> Result<()> {
        let entry = match credentials {
            Some(Credentials::Password { name, password }) => {
                json!({ "auth": STANDARD.encode(format!("{name}:{password}")) })
            }
            Some(Credentials::IdentityToken(token)) => json!({ "identitytoken": token }),
            Some(Credentials::RegistryToken(token)) => json!({ "registrytoken": token }),
            None => json!({}),
        };
        self.change(|auths| {
            auths.insert(registry.to_owned(), entry);
            true
        })
    }

    /// Forgets a registry. Nothing is written if it was not known.
    pub fn erase(&self, registry: &str) -> Result<()> {
        self.change(|auths| {
            let before = auths.len();
            auths.retain(|key, _| key != registry && host_of(key) != host_of(registry));
            auths.len() < before
        })
    }

    /// Whether there is an entry for a registry.
    pub fn has(&self, registry: &str) -> Result<bool> {
        let config = self.read()?;
        let auths = config.get("auths").and_then(Value::as_object);
        Ok(auths.is_some_and(|auths| auths.keys().any(|key| host_of(key) == host_of(registry))))
    }

    fn change(&self, change: impl FnOnce(&mut Map<String, Value>) -> bool) -> Result<()> {
        let mut config = self.read()?;
        let auths = config.entry("auths").or_insert_with(|| json!({}));
        let auths = auths.as_object_mut().with_context(|| format!("{}: auths is no object", self.path.display()))?;
        if change(auths) { self.write(&config) } else { Ok(()) }
    }

    fn read(&self) -> Result<Map<String, Value>> {
        let Some(text) = read_if_there(&self.path)? else { return Ok(Map::new()) };
        if text.trim_ascii().is_empty() {
            return Ok(Map::new());
        }
        serde_json::from_slice(&text).with_context(|| format!("read {}", self.path.display()))
    }

    /// Writes the file anew, for this user's eyes only, so that a reader finds the old one or the new one.
    fn write(&self, config: &Map<String, Value>) -> Result<()> {
        // Where it is a link, as people have who keep their settings elsewhere, the link stays.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let directory = path.parent().context("a file of settings has a directory")?;
        let write = || -> Result<()> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            let temporary = directory.join(format!("config.json.{}", std::process::id()));
            let _ = fs::remove_file(&temporary);
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&temporary)?;
            let mut text = Vec::new();
            let tabs = serde_json::ser::PrettyFormatter::with_indent(b"\t");
            config.serialize(&mut serde_json::Serializer::with_formatter(&mut text, tabs))?;
            file.write_all(&text)?;
            file.sync_all()?;
            Ok(fs::rename(&temporary, &path)?)
        };
        write().with_context(|| format!("write {}", path.display()))
    }
}

fn credentials(entry: &Value) -> Result<Option<Credentials>> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(token) = text("identitytoken") {
        return Ok(Some(Credentials::IdentityToken(token)));
    }
    if let Some(token) = text("registrytoken") {
        return Ok(Some(Credentials::RegistryToken(token)));
    }
    if let Some(auth) = text("auth") {
        let auth = auth.trim_end_matches('=');
        let plain = STANDARD_NO_PAD.decode(auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let plain = plain.context("its auth is not base64 of text")?;
        let (name, password) = plain.split_once(':').context("its auth has no colon in it")?;
        // Docker's own has at times put a zero byte behind the password.
        let password = password.trim_end_matches('\0').to_owned();
        return Ok(Some(Credentials::Password { name: name.to_owned(), password }));
    }
    Ok(text("username").zip(text("password")).map(|(name, password)| Credentials::Password { name, password }))
}

/// The host in a key of `auths`, which may be a URL.
fn host_of(key: &str) -> &str {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    key.split('/').next().unwrap_or(key)
}
