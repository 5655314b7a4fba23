//! Who is at the other end: scheme, host and port, and what a `Location` means.

use std::fmt;
use std::net::IpAddr;

use ureq::http::Uri;

use crate::registry::error::{Error, Result};
use crate::text::printable;

/// What must be the same for two URLs to be of the same server (RFC 6454, section 4).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether by TLS.
    pub https: bool,
    /// In lower case; IPv6 addresses in brackets.
    pub host: String,
    /// Explicit or the scheme's.
    pub port: u16,
}

impl Origin {
    /// The origin of a URL, which must be of http or https and must not carry a user name.
    pub fn of(url: &Uri) -> Result<Origin> {
        let wrong = || Error::Wrong(format!("{} is no URL of a registry", printable(&url.to_string())));
        let https = match url.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let authority = url.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        // What is behind the colon was not a number if there is a colon and no port.
        let rest = &authority.as_str()[authority.host().len()..];
        let port = match authority.port_u16() {
            Some(port) => port,
            None if rest.is_empty() => {
                if https {
                    443
                } else {
                    80
                }
            }
            None => return Err(wrong()),
        };
        Ok(Origin { https, host: authority.host().to_ascii_lowercase(), port })
    }

    /// Whether it is this machine itself: `localhost`, 127.0.0.0/8 or ::1.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// The host, if it is given as an address.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

impl fmt::Display for Origin {
    /// `host`, or `host:port` if the port is not the scheme's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.https, self.port) {
            (true, 443) | (false, 80) => f.write_str(&self.host),
            (_, port) => write!(f, "{}:{port}", self.host),
        }
    }
}

/// Reads a URL.
pub fn parse_url(text: &str) -> Result<Uri> {
    text.parse().map_err(|_| Error::Wrong(format!("{} is no URL", printable(text))))
}

/// The URL that `location` means in a response from `base` (RFC 3986, section 5.2, less `.` and `..`).
pub fn resolve(base: &Uri, location: &str) -> Result<Uri> {
    let scheme = base.scheme_str().unwrap_or_default();
    let authority = base.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let absolute = match location {
        _ if location.contains("://") && !location.starts_with(['/', '?']) => location.to_owned(),
        _ if location.starts_with("//") => format!("{scheme}:{location}"),
        _ if location.starts_with('/') => format!("{scheme}://{authority}{location}"),
        _ if location.starts_with('?') => format!("{scheme}://{authority}{}{location}", base.path()),
        _ => {
            let directory = base.path().rsplit_once('/').map_or("", |(directory, _)| directory);
            format!("{scheme}://{authority}{directory}/{location}")
        }
    };
    parse_url(absolute.split('#').next().unwrap_or_default())
}

/// `url` with another parameter in its query. `value` is encoded.
pub fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{name}={}", encode(value))
}

/// Percent-encodes everything but what is never special (RFC 3986, section 2.3).
pub fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Result<Origin> {
        Origin::of(&parse_url(url)?)
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(origin("https://Host/x").unwrap(), origin("https://host:443/y?z").unwrap());
        assert_ne!(origin("https://host/").unwrap(), origin("http://host/").unwrap());
        assert_ne!(origin("https://host:5000/").unwrap(), origin("https://host:5001/").unwrap());
        for wrong in ["ftp://host/", "https://me@host/", "https://host:99999/", "https://host:/", "/v2/"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for host in ["localhost", "LOCALHOST:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"] {
            assert!(origin(&format!("http://{host}/")).unwrap().is_loopback(), "{host}");
        }
        for host in ["localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "[::2]", "example.com"] {
            assert!(!origin(&format!("http://{host}/")).unwrap().is_loopback(), "{host}");
        }
    }

    #[test]
    fn locations_are_resolved() {
        let base = parse_url("https://host:1/v2/a/blobs/uploads/").unwrap();
        for (location, expected) in [
            ("https://other/x?y=1#z", "https://other/x?y=1"),
            ("//other/x", "https://other/x"),
            ("/v2/x", "https://host:1/v2/x"),
            ("?digest=1", "https://host:1/v2/a/blobs/uploads/?digest=1"),
            ("uuid", "https://host:1/v2/a/blobs/uploads/uuid"),
            ("/v2/x?to=http://y", "https://host:1/v2/x?to=http://y"),
        ] {
            assert_eq!(resolve(&base, location).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn parameters_are_encoded() {
        assert_eq!(with_parameter("http://h/x", "scope", "a:b c"), "http://h/x?scope=a%3Ab%20c");
        assert_eq!(with_parameter("http://h/x?a=b", "c", "&"), "http://h/x?a=b&c=%26");
    }
}
