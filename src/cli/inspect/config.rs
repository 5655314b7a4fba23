//! How something is started, in Docker's shape.

use std::collections::BTreeMap;

use images::oci::{Config, Healthcheck};
use serde::Serialize;
use serde_json::Value;

/// What `Config` is in what is inspected. What is `null` was never said.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConfigView<'a> {
    pub hostname: String,
    pub domainname: &'static str,
    pub user: &'a str,
    pub attach_stdin: bool,
    pub attach_stdout: bool,
    pub attach_stderr: bool,
    pub exposed_ports: Option<&'a BTreeMap<String, Value>>,
    pub tty: bool,
    pub open_stdin: bool,
    pub stdin_once: bool,
    pub env: Option<&'a [String]>,
    pub cmd: Option<&'a [String]>,
    pub healthcheck: Option<&'a Healthcheck>,
    pub image: &'a str,
    pub volumes: Option<&'a BTreeMap<String, Value>>,
    pub working_dir: &'a str,
    pub entrypoint: Option<&'a [String]>,
    pub on_build: Option<&'a [String]>,
    pub labels: Option<&'a BTreeMap<String, String>>,
    pub stop_signal: Option<&'a str>,
    pub shell: Option<&'a [String]>,
}

impl<'a> ConfigView<'a> {
    /// Of a config.
    pub fn of(config: &'a Config) -> ConfigView<'a> {
        ConfigView {
            user: &config.user,
            exposed_ports: filled(&config.exposed_ports),
            env: said(&config.env),
            cmd: said(&config.cmd),
            healthcheck: config.healthcheck.as_ref(),
            volumes: filled(&config.volumes),
            working_dir: &config.working_dir,
            entrypoint: said(&config.entrypoint),
            on_build: said(&config.on_build),
            labels: filled(&config.labels),
            stop_signal: config.stop_signal.as_deref(),
            shell: said(&config.shell),
            ..ConfigView::default()
        }
    }
}

fn said(list: &[String]) -> Option<&[String]> {
    Some(list).filter(|list| !list.is_empty())
}

fn filled<V>(map: &BTreeMap<String, V>) -> Option<&BTreeMap<String, V>> {
    Some(map).filter(|map| !map.is_empty())
}
