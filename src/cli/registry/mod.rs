//! What the verbs that speak with registries have in common.

mod listen;
mod own_addresses;
mod screen;
mod serve;

pub use serve::GROUP;

/// A registry that is not named.
pub const DEFAULT: &str = "docker.io";

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
