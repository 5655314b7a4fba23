//! One request, one answer: HTTP with everything that may go wrong given a name.
//!
//! Every server has an agent of its own, with its own connections and its own certificates, so that what is meant
//! for one cannot reach another. Redirects, authentication and further attempts are decided by those who call:
//! here a request is sent once, to exactly one place.

mod body;
pub mod origin;
mod retry;
mod tls;

use std::collections::HashMap;
use std::fs::File;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::http::{self, HeaderMap, Method, Uri};
use ureq::tls::TlsConfig;
use ureq::{Agent, SendBody};

pub use body::{Payload, read_at_most};
pub use retry::{Cancel, Retry};

use super::access::Access;
use super::error::{Error, Result};
use crate::text::printable;
use origin::Origin;

/// As long as a connection may take to come about, TLS included.
const CONNECT: Duration = Duration::from_secs(15);
/// As long as a server may be silent in the middle of anything.
const SILENCE: Duration = Duration::from_secs(60);
/// As much as the head of an answer may be.
const LARGEST_HEAD: usize = 64 << 10;

/// A request.
#[derive(Clone)]
pub struct Request<'a> {
    /// What to do.
    pub method: Method,
    /// To what.
    pub url: Uri,
    /// Names in lower case, and values.
    pub headers: Vec<(&'static str, String)>,
    /// What comes with it.
    pub payload: Payload<'a>,
}

impl<'a> Request<'a> {
    /// One that asks for what is at `url`.
    pub fn get(url: Uri) -> Request<'a> {
        Request { method: Method::GET, url, headers: Vec::new(), payload: Payload::None }
    }

    /// One of another kind.
    pub fn new(method: Method, url: Uri, payload: Payload<'a>) -> Request<'a> {
        Request { method, url, headers: Vec::new(), payload }
    }

    /// With a further header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Request<'a> {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer. Its body has not been read yet.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The head.
    pub headers: HeaderMap,
    /// Where it came from.
    pub url: Uri,
    /// The rest.
    pub body: ureq::Body,
}

impl Response {
    /// The value of a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The connections of one run.
pub struct Transport<'a> {
    access: &'a Access,
    /// The host for which certificates may go unchecked, if that was asked for.
    unverified: Option<String>,
    agents: Mutex<HashMap<Origin, Agent>>,
}

impl<'a> Transport<'a> {
    /// For work with the registry at `host`, without a port.
    pub fn new(access: &'a Access, host: &str, verify: bool) -> Transport<'a> {
        let unverified = (!verify).then(|| host.to_owned());
        Transport { access, unverified, agents: Mutex::default() }
    }

    /// Sends `request`, once.
    pub fn send(&self, request: &Request<'_>) -> Result<Response> {
        let origin = Origin::of(&request.url)?;
        let agent = self.agent(&origin)?;
        let mut built = http::Request::builder().method(request.method.clone()).uri(&request.url);
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        if let Some(length) = request.payload.length() {
            built = built.header("content-length", length);
        }
        let unsound = |error| Error::Wrong(format!("make a request: {error}"));
        let sent = match &request.payload {
            Payload::None => agent.run(built.body(()).map_err(unsound)?),
            Payload::Bytes(bytes) => agent.run(built.body(*bytes).map_err(unsound)?),
            Payload::File(part) => {
                let mut reader = part.reader();
                agent.run(built.body(SendBody::from_reader(&mut reader)).map_err(unsound)?)
            }
        };
        let (head, body) = sent.map_err(|error| describe(&origin, error))?.into_parts();
        Ok(Response { status: head.status.as_u16(), headers: head.headers, url: request.url.clone(), body })
    }

    fn agent(&self, origin: &Origin) -> Result<Agent> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(origin) {
            return Ok(agent.clone());
        }
        let agent = self.make_agent(origin).map_err(|error| Error::Wrong(format!("{error:#}")))?;
        agents.insert(origin.clone(), agent.clone());
        Ok(agent)
    }

    fn make_agent(&self, origin: &Origin) -> anyhow::Result<Agent> {
        let verify = self.unverified.as_ref() != Some(&origin.host);
        let tls = match origin.https {
            true => tls::settings(&origin.to_string(), &self.access.certificates, verify)?,
            false => TlsConfig::builder().build(),
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("tinbox/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .timeout_connect(Some(CONNECT))
            .timeout_resolve(Some(CONNECT))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .max_response_header_size(LARGEST_HEAD);
        // As in Docker: what is on this machine is never asked for through a proxy.
        let config = if origin.is_loopback() { config.proxy(None) } else { config };
        Ok(config.build().into())
    }
}

/// Says in plain words why there was no answer.
fn describe(origin: &Origin, error: ureq::Error) -> Error {
    let unreachable = |cause: String, passing| Error::Unreachable { host: origin.to_string(), cause, passing };
    match error {
        ureq::Error::HostNotFound => unreachable("no such host".into(), false),
        ureq::Error::Timeout(ureq::Timeout::Resolve) => unreachable("the name server does not answer".into(), true),
        ureq::Error::Timeout(ureq::Timeout::Connect) => unreachable("no answer (connecting timed out)".into(), true),
        ureq::Error::Timeout(_) => unreachable("it has stopped answering (timed out)".into(), true),
        ureq::Error::Rustls(error) => untrusted(origin, &error),
        ureq::Error::Tls(problem) => unreachable(format!("TLS: {problem}"), false),
        ureq::Error::ConnectProxyFailed(problem) => {
            unreachable(format!("the proxy refuses: {}", printable(&problem)), false)
        }
        ureq::Error::InvalidProxyUrl => {
            unreachable("the address of the proxy is no URL: see HTTPS_PROXY".into(), false)
        }
        ureq::Error::ConnectionFailed => unreachable("no connection".into(), true),
        ureq::Error::Io(error) => describe_io(origin, &error),
        ureq::Error::LargeResponseHeader(..) => Error::Wrong(format!("{origin} sends a head without an end")),
        other => Error::Wrong(format!("{origin} does not speak HTTP as it should: {}", printable(&other.to_string()))),
    }
}

/// The same for an error of the connection itself, also in the middle of a body.
pub fn describe_io(origin: &Origin, error: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return untrusted(origin, tls);
    }
    let text = error.to_string();
    let (cause, passing) = match error.kind() {
        ErrorKind::ConnectionRefused => ("connection refused: nothing listens there".to_owned(), true),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => ("no answer (timed out)".to_owned(), true),
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
            ("no way there: is there a network?".to_owned(), true)
        }
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => ("the connection broke off".to_owned(), true),
        // getaddrinfo(3) has errors of its own, which the standard library only puts into words.
        _ if text.contains("failed to lookup address") => match text.contains("Temporary failure") {
            true => ("the name cannot be looked up: is there a network?".to_owned(), true),
            false => ("no such host".to_owned(), false),
        },
        _ => (printable(&text), true),
    };
    Error::Unreachable { host: origin.to_string(), cause, passing }
}

/// A connection that is there, but not to be trusted, or no TLS at all.
fn untrusted(origin: &Origin, error: &rustls::Error) -> Error {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidForName, NotValidForNameContext, UnknownIssuer};
    let help =
        format!("put its authority into /etc/docker/certs.d/{origin}/ca.crt, or do without with --tls-verify=false");
    let cause = match error {
        rustls::Error::InvalidCertificate(UnknownIssuer) => {
            format!("its certificate is signed by an unknown authority\n  help: {help}")
        }
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => "its certificate has expired".to_owned(),
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "its certificate is for another name".to_owned()
        }
        rustls::Error::InvalidMessage(_) => {
            let cause =
                "it does not speak TLS\n  help: if it is meant to be open, say so with --tls-verify=false".to_owned();
            return Error::Unreachable { host: origin.to_string(), cause, passing: false };
        }
        other => format!("TLS: {}", printable(&other.to_string())),
    };
    Error::Untrusted { host: origin.to_string(), cause }
}

/// A file that is to be sent.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The file.
    pub file: &'a File,
    /// Its size.
    pub size: u64,
    /// Told how many bytes were sent so far.
    pub sent: &'a (dyn Fn(u64) + Sync),
}
