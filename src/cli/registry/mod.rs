//! What the verbs that speak with registries have in common.

mod serve;

pub use serve::GROUP;

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, ArgMatches};

/// A registry that is not named.
pub const DEFAULT: &str = "docker.io";

/// An option without a value.
pub fn flag(name: &'static str, short: char, help: &'static str) -> Arg {
    Arg::new(name).long(name).short(short).help(help).action(ArgAction::SetTrue)
}

/// Podman's option; docker has it in its daemon's settings alone.
pub fn tls_argument() -> Arg {
    Arg::new("tls-verify")
        .long("tls-verify")
        .value_name("true|false")
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_parser(BoolishValueParser::new())
        .help("With false, take any certificate of the registry, and plain HTTP [default: true]")
}

/// What was said about it.
pub fn tls_verify(matches: &ArgMatches) -> bool {
    matches.get_one::<bool>("tls-verify").copied().unwrap_or(true)
}

/// Whether a name was typed with a tag or a digest.
pub fn has_version(typed: &str) -> bool {
    typed.contains('@') || typed.rsplit('/').next().is_some_and(|last| last.contains(':'))
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
    fn a_colon_may_belong_to_a_port() {
        for (typed, has) in [("a", false), ("a:b", true), ("h:5000/a", false), ("h:5000/a:b", true), ("a@b", true)] {
            assert_eq!(has_version(typed), has, "{typed}");
        }
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
