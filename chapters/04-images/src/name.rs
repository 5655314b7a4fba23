//! Names of images: `[REGISTRY/]PATH[:TAG][@DIGEST]`, by Docker's rules.
//!
//! A first component with a dot or a colon in it, or `localhost`, names a registry; without one the name belongs
//! to `docker.io`, and a path of one component to its `library/`. The tag is `latest` unless given. So `alpine`
//! is short for `docker.io/library/alpine:latest`. A tag can be moved to another image, a digest cannot: with one,
//! the tag says nothing and is left out. One name is Tinbox's own: `base` is short for
//! `tinbox/base:latest`, the embedded image.
//!
//! Source: <https://pkg.go.dev/github.com/distribution/reference>. Not here: registries by IPv6 address.

use std::fmt;

use anyhow::{Context, Result, bail, ensure};

use crate::Digest;

/// The registry of names that name none.
const DEFAULT_REGISTRY: &str = "docker.io";
/// Where that registry keeps paths of one component.
const OFFICIAL: &str = "library/";
/// The embedded image.
const BASE: &str = "tinbox/base";

/// A name that was checked. Printed, it is as short as it can be while meaning the same, but always has its tag or
/// digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    registry: String,
    path: String,
    version: Version,
}

/// Which image of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Version {
    Tag(String),
    Digest(Digest),
}

impl Name {
    /// Reads a name as a user writes it. What is wrong with one is said in Docker's words.
    pub fn parse(text: &str) -> Result<Name> {
        ensure!(
            !(text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))),
            "invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        );
        let shown = crate::shown(text.as_bytes());
        let (tagged, digest) = match text.split_once('@') {
            Some((tagged, digest)) => {
                let digest = Digest::parse(digest).with_context(|| format!("invalid reference format: {shown}"))?;
                (tagged, Some(digest))
            }
            None => (text, None),
        };
        // A colon before the last slash belongs to the port of a registry.
        let (name, tag) = match tagged.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (tagged, "latest"),
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
        ensure!(is_registry(registry) && is_path(&path) && is_tag(tag), "invalid reference format: \"{shown}\"");
        ensure!(
            registry.len() + 1 + path.len() <= 255,
            "invalid reference format: repository name must not be more than 255 characters"
        );
        let official = registry == DEFAULT_REGISTRY && !path.contains('/');
        let path = if official { format!("{OFFICIAL}{path}") } else { path };
        let version = digest.map_or_else(|| Version::Tag(tag.to_owned()), Version::Digest);
        Ok(Name { registry: registry.to_owned(), path, version })
    }

    /// The name of the embedded image.
    pub fn base() -> Name {
        Name { registry: DEFAULT_REGISTRY.into(), path: BASE.into(), version: Version::Tag("latest".into()) }
    }

    /// The registry: `docker.io`, `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path in the registry: `library/alpine`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag, unless it has a digest.
    pub fn tag(&self) -> Option<&str> {
        match &self.version {
            Version::Tag(tag) => Some(tag),
            Version::Digest(_) => None,
        }
    }

    /// The digest of the manifest, if it has one.
    pub fn digest(&self) -> Option<Digest> {
        match self.version {
            Version::Tag(_) => None,
            Version::Digest(digest) => Some(digest),
        }
    }

    /// The name without tag or digest, as people know it: `alpine`.
    pub fn repository(&self) -> String {
        let short = self.path.strip_prefix(OFFICIAL).filter(|rest| !rest.contains('/') && *rest != "base");
        match self.registry == DEFAULT_REGISTRY {
            true => short.unwrap_or(&self.path).to_owned(),
            false => format!("{}/{}", self.registry, self.path),
        }
    }

    /// The name with nothing left out: `docker.io/library/alpine:latest`.
    pub fn full(&self) -> String {
        format!("{}/{}{}", self.registry, self.path, self.version)
    }

    /// The same repository with this tag.
    pub fn with_tag(&self, tag: &str) -> Result<Name> {
        ensure!(is_tag(tag), "invalid tag format: \"{}\"", crate::shown(tag.as_bytes()));
        Ok(Name { version: Version::Tag(tag.to_owned()), ..self.clone() })
    }

    /// The same repository with this digest.
    pub fn with_digest(&self, digest: Digest) -> Name {
        Name { version: Version::Digest(digest), ..self.clone() }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Version::Tag(tag) => write!(f, ":{tag}"),
            Version::Digest(digest) => write!(f, "@{digest}"),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.repository(), self.version)
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
