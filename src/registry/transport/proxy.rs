//! Which proxy to go through: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, and `NO_PROXY` for what is reached without.
//!
//! The rules are those of Go's `net/http`, and thereby Docker's: <https://pkg.go.dev/golang.org/x/net/http/httpproxy>.
//! The names may be written in small letters.

use std::net::IpAddr;

use anyhow::{Context, Result};

use super::origin::Origin;
use crate::registry::access::is_within;

/// A proxy, and which variable names it.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// How to go through it.
    pub settings: ureq::Proxy,
    variable: &'static str,
}

impl Proxy {
    /// The proxy for `origin`, if the environment names one.
    ///
    /// Errors: what it names is no URL of a proxy. The value is not shown, since it may hold a password.
    pub fn for_origin(origin: &Origin) -> Result<Option<Proxy>> {
        let of_scheme = if origin.https { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
        let variables = of_scheme.into_iter().chain(["ALL_PROXY", "all_proxy"]);
        let mut set = variables.filter_map(|name| value_of(name).map(|value| (name, value)));
        let Some((variable, url)) = set.next() else { return Ok(None) };
        let exceptions = value_of("NO_PROXY").or_else(|| value_of("no_proxy")).unwrap_or_default();
        // As in Docker: what is on this machine is never asked for through a proxy.
        if origin.is_loopback() || goes_without(origin, &exceptions) {
            return Ok(None);
        }
        let settings = ureq::Proxy::new(&url).ok();
        let settings = settings.with_context(|| format!("{variable} should be the URL of a proxy, and is not"))?;
        Ok(Some(Proxy { settings, variable }))
    }

    /// `the proxy HOST:PORT (VARIABLE)`: its URL without name and password.
    pub fn name(&self) -> String {
        format!("the proxy {}:{} ({})", self.settings.host(), self.settings.port(), self.variable)
    }
}

fn value_of(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Whether `NO_PROXY` has an entry for `origin`: `*`, `ADDRESS`, `ADDRESS/BITS`, `NAME` or `.NAME`, all but the networks
/// perhaps with a port.
fn goes_without(origin: &Origin, exceptions: &str) -> bool {
    exceptions.split(',').map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| is_for(origin, &entry))
}

fn is_for(origin: &Origin, entry: &str) -> bool {
    if let Some(ip) = origin.ip() {
        let (address, port) = split_port(entry);
        let same = address.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address == ip);
        return entry == "*" || is_within(ip, entry) || same && port.is_none_or(|port| port == origin.port);
    }
    let (name, port) = split_port(entry);
    let below = |domain: &str| origin.host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    let fits = match name.trim_start_matches('*').strip_prefix('.') {
        _ if name == "*" => true,
        // With a dot in front, the domain itself is not meant.
        Some(domain) => below(domain),
        None => !name.is_empty() && (origin.host == name || below(name)),
    };
    fits && port.is_none_or(|port| port == origin.port)
}

/// `HOST:PORT`, or a host alone. The colons of an IPv6 address are no port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::transport::origin::parse_url;

    #[test]
    fn exceptions_are_as_in_go() {
        for (url, exceptions, without) in [
            ("http://10.77.0.10:5000/", "10.77.0.10", true),
            ("http://10.77.0.10:5000/", "a, 10.77.0.0/24", true),
            ("http://10.77.0.10:5000/", "10.77.0.10:5000", true),
            ("http://10.77.0.10:5000/", "10.77.0.10:5001,10.77.0.0/32,.10", false),
            ("http://[fd00::1]:5000/", "fd00::1", true),
            ("http://[fd00::1]:5000/", "[fd00::1]:5000", true),
            ("http://[fd00::1]:5000/", "fd00::/8", true),
            ("https://registry.corp/", "corp", true),
            ("https://registry.corp/", ".corp", true),
            ("https://registry.corp/", "*.corp", true),
            ("https://registry.corp/", "REGISTRY.corp:443", true),
            ("https://registry.corp/", "registry.corp:5000,istry.corp,.registry.corp,,:", false),
            ("https://registry.corp/", "*", true),
            ("https://registry.corp/", "", false),
        ] {
            let origin = Origin::of(&parse_url(url).unwrap()).unwrap();
            assert_eq!(goes_without(&origin, exceptions), without, "{url} {exceptions:?}");
        }
    }

    #[test]
    fn the_name_of_a_proxy_has_no_password_in_it() {
        let settings = ureq::Proxy::new("http://me:secret@proxy.corp:3128").unwrap();
        let proxy = Proxy { settings, variable: "HTTP_PROXY" };
        assert_eq!(proxy.name(), "the proxy proxy.corp:3128 (HTTP_PROXY)");
    }
}
