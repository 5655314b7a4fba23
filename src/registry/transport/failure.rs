//! Why there was no answer, in plain words.

use std::io::ErrorKind;

use super::origin::Origin;
use super::proxy::Proxy;
use crate::registry::error::{Error, FailureKind};
use crate::text::printable;

/// Who was spoken to, and through which proxy.
pub struct Peer<'a> {
    pub origin: &'a Origin,
    pub proxy: Option<&'a Proxy>,
}

impl Peer<'_> {
    fn unreachable(&self, kind: FailureKind, cause: &str) -> Error {
        Error::Unreachable { host: self.origin.to_string(), cause: cause.to_owned(), kind }
    }

    /// For what fails before there is a connection: with a proxy, that is the one to it.
    fn not_connected(&self, kind: FailureKind, cause: &str) -> Error {
        let Some(proxy) = self.proxy else { return self.unreachable(kind, cause) };
        let cause = cause.lines().next().unwrap_or_default();
        let host = self.origin.host.trim_matches(['[', ']']);
        let cause = format!("{cause}\n  help: NO_PROXY={host} goes without it");
        Error::Unreachable { host: proxy.name(), cause, kind }
    }
}

/// What an error means.
pub fn describe(peer: &Peer<'_>, error: ureq::Error) -> Error {
    use FailureKind::{Lasting, NoNetwork, NotTls, TimedOut};
    use ureq::Timeout;
    let origin = peer.origin;
    match error {
        ureq::Error::HostNotFound => peer.not_connected(Lasting, "no such host"),
        ureq::Error::Timeout(Timeout::Resolve) => peer.not_connected(NoNetwork, "the name server does not answer"),
        ureq::Error::Timeout(Timeout::Connect) => peer.not_connected(
            TimedOut,
            "no answer (connecting timed out)\n  help: it may be switched off, or a firewall may keep you away",
        ),
        ureq::Error::Timeout(_) => peer.unreachable(TimedOut, "it has not answered for a while (timed out)"),
        ureq::Error::Rustls(error) => tls(peer, &error),
        ureq::Error::Tls(problem) => peer.unreachable(NotTls, &format!("TLS: {problem}")),
        ureq::Error::ConnectProxyFailed(problem) => {
            peer.not_connected(Lasting, &format!("it refuses: {}", printable(&problem)))
        }
        ureq::Error::ConnectionFailed => peer.not_connected(NoNetwork, "no connection"),
        ureq::Error::Io(error) => of_io(peer, &error),
        ureq::Error::LargeResponseHeader(..) => Error::Wrong(format!("{origin} sends headers without an end")),
        other => Error::Wrong(format!("{origin} does not speak HTTP as it should: {}", printable(&other.to_string()))),
    }
}

/// The same for an error in the middle of a body.
pub fn describe_io(origin: &Origin, error: &std::io::Error) -> Error {
    of_io(&Peer { origin, proxy: None }, error)
}

fn of_io(peer: &Peer<'_>, error: &std::io::Error) -> Error {
    use FailureKind::{Broken, Lasting, NoNetwork, Refused, TimedOut};
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls(peer, error);
    }
    let text = error.to_string();
    match error.kind() {
        ErrorKind::ConnectionRefused => peer.not_connected(Refused, "connection refused: nothing listens there"),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            peer.unreachable(TimedOut, "it has not answered for a while (timed out)")
        }
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
            peer.not_connected(NoNetwork, "no way there: is there a network?")
        }
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => peer.unreachable(Broken, "the connection broke off"),
        // getaddrinfo(3) has errors of its own, which the standard library only puts into words.
        _ if text.contains("failed to lookup address") => match text.contains("Temporary failure") {
            true => peer.not_connected(NoNetwork, "the name cannot be looked up: is there a network?"),
            false => peer.not_connected(Lasting, "no such host"),
        },
        _ => peer.unreachable(Broken, &printable(&text)),
    }
}

/// A connection that is there, but not to be trusted, or no TLS at all.
fn tls(peer: &Peer<'_>, error: &rustls::Error) -> Error {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidForName, NotValidForNameContext, UnknownIssuer};
    let host = peer.origin.to_string();
    let cause = match error {
        rustls::Error::InvalidCertificate(UnknownIssuer) => format!(
            "its certificate is signed by an unknown authority\n  help: put its authority into \
             /etc/docker/certs.d/{host}/ca.crt, or do without with --tls-verify=false"
        ),
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => "its certificate has expired".to_owned(),
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "its certificate is for another name".to_owned()
        }
        rustls::Error::InvalidMessage(_) => return peer.unreachable(FailureKind::NotTls, "it does not speak TLS"),
        other => format!("TLS: {}", printable(&other.to_string())),
    };
    Error::Untrusted { host, cause }
}
