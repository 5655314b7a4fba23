//! Names of images: `[REGISTRY/]PATH[:TAG]`, by Docker's rules.
//!
//! A first component with a dot or a colon in it, or `localhost`, names a registry; without one the name belongs
//! to `docker.io`, and a path of one component to its `library/`. The tag is `latest` unless given. So `alpine`
//! is short for `docker.io/library/alpine:latest`. One name is Tinbox's own: `base` is short for
//! `tinbox/base:latest`, the embedded image.
//!
//! Not here: digests (`NAME@sha256:…`), and registries by IPv6 address.

use std::fmt;

use anyhow::{Result, bail, ensure};

/// The registry of names that name none.
const DEFAULT_REGISTRY: &str = "docker.io";
/// Where that registry keeps paths of one component.
const OFFICIAL: &str = "library/";
/// The embedded image.
const BASE: &str = "tinbox/base";

/// A name that was checked. Printed, it is as short as it can be while meaning the same, but always has its tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    registry: String,
    path: String,
    tag: String,
}

impl Name {
    /// Reads a name as a user writes it. What is wrong with one is said in Docker's words.
    pub fn parse(text: &str) -> Result<Name> {
        ensure!(
            !(text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))),
            "invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        );
        ensure!(!text.contains('@'), "invalid reference format: {text:?}: Tinbox finds images by tag, not by digest");
        // A colon before the last slash belongs to the port of a registry.
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (text, "latest"),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, rest)) if names_a_registry(first) => (first, rest.to_owned()),
            _ if name == "base" => (DEFAULT_REGISTRY, BASE.to_owned()),
            _ => (DEFAULT_REGISTRY, name.to_owned()),
        };
        let registry = if registry == "index.docker.io" { DEFAULT_REGISTRY } else { registry };

        let lower_case = path.to_ascii_lowercase();
        if path != lower_case && is_path(&lower_case) {
            bail!("invalid reference format: repository name ({path}) must be lowercase");
        }
        ensure!(is_registry(registry) && is_path(&path) && is_tag(tag), "invalid reference format: {text:?}");
        ensure!(
            registry.len() + 1 + path.len() <= 255,
            "invalid reference format: repository name must not be more than 255 characters"
        );
        let official = registry == DEFAULT_REGISTRY && !path.contains('/');
        let path = if official { format!("{OFFICIAL}{path}") } else { path };
        Ok(Name { registry: registry.to_owned(), path, tag: tag.to_owned() })
    }

    /// The name of the embedded image.
    pub fn base() -> Name {
        Name { registry: DEFAULT_REGISTRY.into(), path: BASE.into(), tag: "latest".into() }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.registry != DEFAULT_REGISTRY {
            write!(f, "{}/", self.registry)?;
        }
        let short = self.path.strip_prefix(OFFICIAL).filter(|rest| !rest.contains('/') && *rest != "base");
        let official = self.registry == DEFAULT_REGISTRY;
        write!(f, "{}:{}", short.filter(|_| official).unwrap_or(&self.path), self.tag)
    }
}

/// Whether the first component of a name is a registry rather than a part of the path.
fn names_a_registry(component: &str) -> bool {
    component == "localhost" || component.contains(['.', ':']) || component.chars().any(|c| c.is_ascii_uppercase())
}

/// `host.name` or `host.name:port`.
fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.split('.').all(label) && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// Components of lower-case letters and digits, held together by `.`, `_`, `__` or any number of `-`.
fn is_path(text: &str) -> bool {
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.split('/').all(|component| {
        let separators = component.as_bytes().split(alphanumeric).skip_while(|run| run.is_empty());
        let ends_well = |end: Option<&u8>| end.is_some_and(alphanumeric);
        ends_well(component.as_bytes().first())
            && ends_well(component.as_bytes().last())
            && separators
                .into_iter()
                .all(|run| matches!(run, b"" | b"." | b"_" | b"__") || run.iter().all(|b| *b == b'-'))
    })
}

/// A letter, digit or `_`, then at most 127 more of those, `.` and `-`.
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_docker_does() {
        for (written, printed) in [
            ("base", "tinbox/base:latest"),
            ("tinbox/base", "tinbox/base:latest"),
            ("docker.io/tinbox/base:latest", "tinbox/base:latest"),
            ("base:old", "tinbox/base:old"),
            ("alpine", "alpine:latest"),
            ("library/alpine:3.20", "alpine:3.20"),
            ("index.docker.io/library/alpine", "alpine:latest"),
            ("docker.io/library/base", "library/base:latest"),
            ("me/my-app", "me/my-app:latest"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/app:v1.0", "localhost:5000/app:v1.0"),
            ("ghcr.io/library/app", "ghcr.io/library/app:latest"),
            ("Host/app", "Host/app:latest"),
            ("me/a__b.c_d---e:T_1.2-x", "me/a__b.c_d---e:T_1.2-x"),
        ] {
            let name = Name::parse(written).unwrap();
            assert_eq!(name.to_string(), printed, "{written}");
            assert_eq!(Name::parse(printed).unwrap(), name, "{printed} must mean the same as {written}");
        }
        assert_eq!(Name::parse("base").unwrap(), Name::base());
    }

    #[test]
    fn bad_names_are_refused_in_dockers_words() {
        let long = "a/".repeat(128) + "a";
        for bad in [
            "",
            ":",
            "a:",
            ":b",
            "/a",
            "a/",
            "a//b",
            "-a",
            "a-",
            ".a",
            "a..b",
            "a___b",
            "a._b",
            "a b",
            "a:b c",
            "a:-b",
            "../a",
            "a/../b",
            "a/./b",
            "ä",
            "a\0b",
            "a\n",
            "a:b:c",
            "x.y:/a",
            "-x.y/a",
            "localhost:x/a",
            &long,
            &format!("a:{}", "t".repeat(129)),
            "a@sha256:00",
        ] {
            let error = Name::parse(bad).expect_err(bad).to_string();
            assert!(error.starts_with("invalid reference format"), "{bad}: {error}");
        }
        let upper = Name::parse("me/App").unwrap_err().to_string();
        assert_eq!(upper, "invalid reference format: repository name (me/App) must be lowercase");
        let id = Name::parse(&"0a".repeat(32)).unwrap_err().to_string();
        assert!(id.contains("cannot specify 64-byte hexadecimal strings"), "{id}");
    }
}
