//! What the verbs that speak with registries have in common.

mod listen;
mod own_addresses;
mod screen;
mod serve;

pub use serve::GROUP;

use anyhow::{Result, bail, ensure};
use images::Name;

use crate::text::one_line;

/// A registry that is not named.
pub const DEFAULT: &str = "docker.io";

/// Reads the name of an image as it was typed.
pub fn image_name(typed: &str) -> Result<Name> {
    refuse_url(typed)?;
    if is_registry_alone(typed) {
        bail!("{typed} is a registry: which image? ({typed}/NAME)");
    }
    Name::parse(typed)
}

/// Whether a name is just `HOST:PORT`, which would be an image `HOST` with a number as its tag.
pub fn is_registry_alone(typed: &str) -> bool {
    typed.split_once(':').is_some_and(|(host, port)| {
        let is_address = host.contains('.') && host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        (is_address || host == "localhost") && port.parse::<u16>().is_ok()
    })
}

/// Names of images have no `http://` in front.
pub fn refuse_url(typed: &str) -> Result<()> {
    if let Some((scheme, rest)) = typed.split_once("://") {
        let typed = one_line(typed, 200);
        ensure!(
            !matches!(scheme, "http" | "https"),
            "invalid reference format: \"{typed}\"\n  help: without {scheme}://: {}",
            one_line(rest, 200)
        );
    }
    Ok(())
}

/// The registry that is meant by what people type for a server: `host`, `https://host/v1/`, the names of Docker Hub.
pub fn registry(server: Option<&String>) -> &str {
    let server = server.map_or(DEFAULT, String::as_str);
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    match host.split('/').next().unwrap_or(host) {
        "" | DEFAULT | "index.docker.io" | "registry-1.docker.io" | "hub.docker.com" => DEFAULT,
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_aloud_is_understood() {
        for (typed, alone) in [
            ("10.77.0.10:5000", true),
            ("localhost:5000", true),
            ("10.77.0.10:5000/base", false),
            ("10.77.0.10:latest", false),
            ("alpine:3", false),
            ("3:5", false),
        ] {
            assert_eq!(is_registry_alone(typed), alone, "{typed}");
            assert_eq!(image_name(typed).is_err(), alone, "{typed}");
        }
        let error = image_name("http://10.77.0.10:5000/base").unwrap_err().to_string();
        assert!(error.ends_with("\n  help: without http://: 10.77.0.10:5000/base"), "{error}");
    }

    #[test]
    fn servers_have_several_names() {
        for (typed, meant) in [
            ("https://index.docker.io/v1/", "docker.io"),
            ("docker.io", "docker.io"),
            ("http://localhost:5000", "localhost:5000"),
            ("ghcr.io/", "ghcr.io"),
        ] {
            assert_eq!(registry(Some(&typed.to_owned())), meant);
        }
        assert_eq!(registry(None), "docker.io");
    }
}
