//! How this user reaches registries: what Docker's settings say.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::auth::{self, ConfigFile, Credentials};
use super::transport::origin::Origin;

/// No file of settings is larger.
const LARGEST: u64 = 1 << 20;

/// How to reach registries.
#[derive(Debug)]
pub struct Access {
    /// Whether certificates are checked, and plain HTTP is for this machine only. `--tls-verify=false` says no.
    pub tls_verify: bool,
    /// The directories with certificates for single registries (`certs.d`), the more important first.
    pub certificates: Vec<PathBuf>,
    /// Registries for which `tls_verify` does not hold: `HOST`, `HOST:PORT` or `ADDRESS/BITS`.
    pub insecure: Vec<String>,
    /// Docker's configuration file, which knows the credentials.
    pub credentials: ConfigFile,
    /// The registry for which a credential helper was asked already, and what it said.
    pub(super) from_helper: Option<(String, Result<Option<Credentials>, String>)>,
}

impl Access {
    /// Reads the settings of this user and of the machine: `insecure-registries` in `daemon.json` of
    /// `~/.config/docker` and `/etc/docker`, and Docker's `config.json`.
    ///
    /// Errors: a file that is there and cannot be read, or is not what it should be.
    pub fn from_environment(tls_verify: bool) -> Result<Access> {
        let own = user_settings();
        let places: Vec<PathBuf> = own.into_iter().chain([PathBuf::from("/etc/docker")]).collect();
        let mut insecure = Vec::new();
        for place in &places {
            insecure.extend(insecure_registries(&place.join("daemon.json"))?);
        }
        let certificates = places.iter().map(|place| place.join("certs.d")).collect();
        Ok(Access { tls_verify, certificates, insecure, credentials: ConfigFile::locate()?, from_helper: None })
    }

    /// Asks the credential helper of `registry` now, if there is one, as the user who runs this. Whoever enters a user
    /// namespace calls this before: a helper that runs as root there finds neither the user's keyring nor their agent.
    ///
    /// A helper that fails is an error only when the registry wants to know who we are.
    pub fn ask_helper(&mut self, registry: &str) {
        if let Ok(Some(_)) = self.credentials.helper(auth::key_of(registry)) {
            let found = auth::find(&self.credentials, registry).map_err(|error| format!("{error:#}"));
            self.from_helper = Some((registry.to_owned(), found));
        }
    }

    /// Whether this registry may be spoken to without a checked certificate.
    pub(super) fn is_insecure(&self, registry: &Origin, name: &str) -> bool {
        let listed = |entry: &String| {
            entry.eq_ignore_ascii_case(name)
                || entry.eq_ignore_ascii_case(&registry.host)
                || registry.ip().is_some_and(|ip| is_within(ip, entry))
        };
        !self.tls_verify || self.insecure.iter().any(listed)
    }
}

/// `$XDG_CONFIG_HOME/docker` or `~/.config/docker`.
fn user_settings() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    config.map(|config| config.join("docker"))
}

/// The part of the daemon's settings that counts here.
#[derive(Deserialize)]
struct Daemon {
    #[serde(default, rename = "insecure-registries")]
    insecure_registries: Vec<String>,
}

fn insecure_registries(path: &Path) -> Result<Vec<String>> {
    let text = match read_if_there(path) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(Vec::new()),
        // What is for the daemon's eyes only makes no exception for us.
        Err(error) if is_for_others(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let daemon: Daemon = serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?;
    Ok(daemon.insecure_registries)
}

fn is_for_others(error: &anyhow::Error) -> bool {
    let io: Option<&std::io::Error> = error.root_cause().downcast_ref();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

/// The content of a file of settings, if there is one.
pub(super) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    use std::io::{ErrorKind, Read};
    let mut content = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut content));
    match read {
        Ok(_) => Ok(Some(content)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// Whether an address is in a network, as in `10.0.0.0/8`.
pub(super) fn is_within(address: IpAddr, network: &str) -> bool {
    let Some((prefix, bits)) = network.split_once('/') else { return false };
    let bytes = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (Ok(prefix), Ok(bits)) = (prefix.parse().map(bytes), bits.parse::<usize>()) else { return false };
    let address = bytes(address);
    let bit = |bytes: &[u8], at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    address.len() == prefix.len()
        && bits <= address.len() * 8
        && (0..bits).all(|at| bit(&address, at) == bit(&prefix, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_counted_in_bits() {
        for (address, network, within) in [
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("192.168.1.130", "192.168.1.128/25", true),
            ("192.168.1.127", "192.168.1.128/25", false),
            ("1.2.3.4", "0.0.0.0/0", true),
            ("1.2.3.4", "1.2.3.4/33", false),
            ("::1", "0.0.0.0/0", false),
            ("fd00::1", "fd00::/8", true),
            ("1.2.3.4", "1.2.3.4", false),
        ] {
            assert_eq!(is_within(address.parse().unwrap(), network), within, "{address} in {network}");
        }
    }
}
