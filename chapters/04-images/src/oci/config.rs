//! The config of an image: how to start it, what its layers are, and how it came to be.
//!
//! Source: <https://github.com/opencontainers/image-spec/blob/main/config.md>; `Healthcheck`, `Shell` and `OnBuild` are
//! Docker's additions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Platform;
use super::lenient::or_empty;
use crate::Digest;

/// The config as a whole. Its digest is the image's id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// When it was made: RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// For which processor: Go's names.
    #[serde(deserialize_with = "or_empty")]
    pub architecture: String,
    /// For which system.
    #[serde(deserialize_with = "or_empty")]
    pub os: String,
    /// Which kind of that processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// How to start it.
    #[serde(deserialize_with = "or_empty")]
    pub config: Config,
    /// Its layers.
    pub rootfs: RootFs,
    /// How it came to be, oldest first.
    #[serde(deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Docker's: what a commit said about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl ImageConfig {
    /// For which machine it is; its members may be empty.
    pub fn platform(&self) -> Platform {
        Platform { architecture: self.architecture.clone(), os: self.os.clone(), variant: self.variant.clone() }
    }
}

/// The layers of an image by their contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digest of each layer without its compression, bottom first.
    #[serde(deserialize_with = "or_empty")]
    pub diff_ids: Vec<Digest>,
}

impl Default for RootFs {
    fn default() -> RootFs {
        RootFs { kind: "layers".into(), diff_ids: Vec::new() }
    }
}

/// A step in the making of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// When: RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// By which command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// What was said about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether it changed the config only, and left no layer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

/// How to start a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// As whom: `user`, `uid`, `user:group` or `uid:gid`; root if empty.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "or_empty")]
    pub user: String,
    /// `80/tcp` each: what it listens on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_empty")]
    pub exposed_ports: BTreeMap<String, Value>,
    /// `NAME=VALUE` each.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_empty")]
    pub env: Vec<String>,
    /// What always comes first in the command.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_empty")]
    pub entrypoint: Vec<String>,
    /// The command if the user gives none, or its arguments if there is an entrypoint.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_empty")]
    pub cmd: Vec<String>,
    /// Directories whose contents are not part of the container's layer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_empty")]
    pub volumes: BTreeMap<String, Value>,
    /// Where the command starts; `/` if empty.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "or_empty")]
    pub working_dir: String,
    /// What is said about it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_empty")]
    pub labels: BTreeMap<String, String>,
    /// What it wants to be ended with, by name or number; TERM if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// How to see whether it is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// What a build runs commands with.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_empty")]
    pub shell: Vec<String>,
    /// What a build on top of it does first.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_empty")]
    pub on_build: Vec<String>,
}

/// A command that tells whether a container is well. Times are in nanoseconds; zero stands for the usual one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", …]`.
    #[serde(deserialize_with = "or_empty")]
    pub test: Vec<String>,
    /// From one to the next.
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: u64,
    /// How long one may take.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: u64,
    /// How long the container may take to get ready.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: u64,
    /// How many must fail in a row.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_writes_null_for_nothing() {
        let config: ImageConfig = serde_json::from_str(
            r#"{"architecture":"amd64","os":"linux","config":{"Env":null,"Cmd":["sh"],"ExposedPorts":{"80/tcp":{}},
                "Labels":null},"rootfs":{"type":"layers","diff_ids":null},"history":null,"container":"ignored"}"#,
        )
        .unwrap();
        assert_eq!((config.config.cmd.len(), config.config.env.len()), (1, 0));
        assert_eq!(config.config.exposed_ports.keys().collect::<Vec<_>>(), ["80/tcp"]);
        let empty: ImageConfig =
            serde_json::from_str(r#"{"config":null,"rootfs":{"type":"layers","diff_ids":[]}}"#).unwrap();
        assert_eq!(empty, ImageConfig::default());
    }
}
