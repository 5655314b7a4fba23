//! One request, one response: HTTP with everything that may go wrong given a name.
//!
//! Every server has an agent of its own, with its own connections and its own certificates, so that what is meant
//! for one cannot reach another. Redirects, authentication and further attempts are decided by those who call:
//! here a request is sent once, to exactly one place.

mod body;
mod failure;
mod operation;
pub mod origin;
mod proxy;
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
pub use failure::describe_io;
pub use operation::Operation;
pub use retry::Retry;

use super::access::Access;
use super::error::{Error, Result};
use failure::{Peer, describe};
use origin::Origin;
use proxy::Proxy;

/// As long as a connection may take to come about, TLS included.
const CONNECT: Duration = Duration::from_secs(15);
/// As long as a server may be silent in the middle of anything.
const SILENCE: Duration = Duration::from_secs(30);
/// The same for one that was sent a blob or a manifest with PUT: it may have to put a blob somewhere first, or to unpack
/// a whole image.
const SILENCE_AFTER_UPLOAD: Duration = Duration::from_secs(300);
/// As much as the headers of a response may be.
const LARGEST_HEADERS: usize = 64 << 10;
/// Redirects followed before giving up.
pub const REDIRECTS: usize = 5;

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

/// A response. Its body has not been read yet.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
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
    agents: Mutex<HashMap<Origin, (Agent, Option<Proxy>)>>,
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
        let (agent, proxy) = self.agent(&origin)?;
        let mut built = http::Request::builder().method(request.method.clone()).uri(&request.url);
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        if let Some(length) = request.payload.length() {
            built = built.header("content-length", length);
        }
        let unsound = |error| Error::Wrong(format!("make a request: {error}"));
        let patience = if request.method == Method::PUT { SILENCE_AFTER_UPLOAD } else { SILENCE };
        let sent = match &request.payload {
            Payload::None => agent.run(built.body(()).map_err(unsound)?),
            Payload::Bytes(bytes) => {
                let built = built.body(*bytes).map_err(unsound)?;
                agent.run(agent.configure_request(built).timeout_recv_response(Some(patience)).build())
            }
            Payload::File(part) => {
                let mut reader = part.reader();
                let built = built.body(SendBody::from_reader(&mut reader)).map_err(unsound)?;
                agent.run(agent.configure_request(built).timeout_recv_response(Some(patience)).build())
            }
        };
        let peer = Peer { origin: &origin, proxy: proxy.as_ref() };
        let (parts, body) = sent.map_err(|error| describe(&peer, error))?.into_parts();
        Ok(Response { status: parts.status.as_u16(), headers: parts.headers, url: request.url.clone(), body })
    }

    /// What speaks with `origin`, and through which proxy.
    fn agent(&self, origin: &Origin) -> Result<(Agent, Option<Proxy>)> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(origin) {
            return Ok(agent.clone());
        }
        let agent = self.make_agent(origin).map_err(|error| Error::Wrong(format!("{error:#}")))?;
        agents.insert(origin.clone(), agent.clone());
        Ok(agent)
    }

    fn make_agent(&self, origin: &Origin) -> anyhow::Result<(Agent, Option<Proxy>)> {
        let proxy = Proxy::for_origin(origin)?;
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
            .max_response_header_size(LARGEST_HEADERS);
        let config = config.proxy(proxy.as_ref().map(|proxy| proxy.settings.clone()));
        Ok((config.build().into(), proxy))
    }
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
