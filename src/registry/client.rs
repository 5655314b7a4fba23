//! A registry, as the OCI distribution specification has it.
//!
//! Every call goes through [`Client::call`], which says who we are, follows redirects, and asks again with better
//! credentials if the registry wants them. A redirect to another host is followed without any credentials: blobs are
//! called by their digest, so it does not matter who sends them.
//!
//! Source: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.

use std::sync::Once;

use images::Digest;
use ureq::http::{Method, Uri};

use super::access::Access;
use super::auth::{Authorizer, Credentials};
use super::error::{Error, FailureKind, Result};
use super::refusal::error_of;
use super::transport::origin::{Origin, parse_url, resolve};
use super::transport::{Operation, Payload, REDIRECTS, Request, Response, Retry, Transport, read_at_most};
use crate::say::say;

/// A registry that has answered.
pub struct Client<'a> {
    transport: Transport<'a>,
    authorizer: Authorizer<'a>,
    origin: Origin,
    base: String,
    operation: &'a Operation<'a>,
    /// That credentials go unencrypted is said once.
    warned: Once,
}

impl<'a> Client<'a> {
    /// Finds out how to speak with `registry`, as it is written in names of images.
    ///
    /// Plain HTTP is spoken with this machine itself, and with registries for which [`Access`] allows it, if they do
    /// not answer to TLS.
    pub fn connect(
        access: &'a Access,
        registry: &'a str,
        given: Option<Credentials>,
        operation: &'a Operation<'a>,
    ) -> Result<Client<'a>> {
        let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
        let origin = |scheme: &str| Origin::of(&parse_url(&format!("{scheme}://{host}/"))?);
        let secure = origin("https")?;
        let insecure = access.is_insecure(&secure, registry);
        let client = |origin: Origin, given| {
            let base = format!("{}://{origin}", if origin.https { "https" } else { "http" });
            let transport = Transport::new(access, &origin.host, !insecure);
            let authorizer = Authorizer::new(access, registry, given);
            Client { transport, authorizer, origin, base, operation, warned: Once::new() }
        };
        let (plain_will_do, here) = (insecure || secure.is_loopback(), secure.is_loopback());
        let first = client(secure, given.clone());
        match first.ping() {
            Ok(()) => Ok(first),
            Err(error) if plain_will_do && may_speak_plainly(&error, here) => {
                let second = client(origin("http")?, given);
                second.ping().map(|()| second)
            }
            Err(error) => Err(with_help_about_tls(error, registry)),
        }
    }

    /// Asks whether anybody is there, and learns what they want to know about us. Without an answer there is no second
    /// attempt: where there is no network, that shall be said at once.
    fn ping(&self) -> Result<()> {
        let request = Request::get(self.url("/v2/")?);
        let mut retry = Retry::new(self.operation);
        loop {
            let response = self.send(&request, &[])?;
            let from_elsewhere = Origin::of(&response.url)? != self.origin;
            match response.status {
                200 => return Ok(()),
                // What another host wants to know about us is no concern of ours.
                401 if from_elsewhere || self.authorizer.challenged(&response.headers) => return Ok(()),
                404 => return Err(Error::Wrong(format!("{} is no registry: it has no /v2/", self.origin))),
                _ => retry.after(error_of(response), self.operation.notice())?,
            }
        }
    }

    /// Checks that the registry takes us for who we say we are.
    pub fn log_in(&self) -> Result<()> {
        self.persist(|| self.call(&Request::get(self.url("/v2/")?), &[])).map(drop)
    }

    /// A URL of the registry.
    pub fn url(&self, path: &str) -> Result<Uri> {
        parse_url(&format!("{}{path}", self.base))
    }

    /// Tries until it works or there is no hope.
    pub fn persist<T>(&self, attempt: impl FnMut() -> Result<T>) -> Result<T> {
        Retry::new(self.operation).run(attempt)
    }

    /// The piece of work that this is for.
    pub fn operation(&self) -> &'a Operation<'a> {
        self.operation
    }

    /// Sends a request for which `scopes` are needed, and returns a response that says yes.
    pub fn call(&self, request: &Request<'_>, scopes: &[String]) -> Result<Response> {
        let mut response = self.send(request, scopes)?;
        if response.status == 401 && Origin::of(&response.url)? == self.origin {
            self.authorizer.forget(scopes);
            if self.authorizer.challenged(&response.headers) {
                response = self.send(request, scopes)?;
            }
        }
        match response.status {
            200..=299 => Ok(response),
            _ => Err(error_of(response)),
        }
    }

    /// Sends a request, and follows where it is sent on to.
    fn send(&self, request: &Request<'_>, scopes: &[String]) -> Result<Response> {
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS {
            self.operation.check()?;
            let mut next = request.clone();
            next.url = url.clone();
            // Who we are is for the registry alone.
            if Origin::of(&url)? == self.origin
                && let Some(authorization) = self.authorizer.authorization(&self.transport, &self.origin, scopes)?
            {
                self.warn_of_plain_credentials()?;
                next = next.header("authorization", authorization);
            }
            let response = self.transport.send(&next)?;
            let asks = matches!(request.method, Method::GET | Method::HEAD);
            match response.header("location") {
                Some(location) if asks && (300..=399).contains(&response.status) => {
                    url = self.follow(&url, location)?;
                }
                _ => return Ok(response),
            }
        }
        Err(Error::Wrong(format!("{} sends from one place to the next, without an end", self.origin)))
    }

    /// Says so if credentials are about to go through the network unencrypted.
    fn warn_of_plain_credentials(&self) -> Result<()> {
        let open = !self.origin.https && !self.origin.is_loopback();
        if open && self.authorizer.credentials()?.is_some() {
            self.warned.call_once(|| {
                let origin = &self.origin;
                say!("tinbox: warning: the password goes to {origin} without TLS: anybody in between can read it");
            });
        }
        Ok(())
    }

    /// Where `location`, said by `from`, leads. What came by TLS so far must do so from there on.
    pub fn follow(&self, from: &Uri, location: &str) -> Result<Uri> {
        let target = resolve(from, location)?;
        let origin = Origin::of(&target)?;
        if Origin::of(from)?.https && !origin.https {
            return Err(Error::Wrong(format!("{} sends to http://{origin}, without TLS", self.origin)));
        }
        Ok(target)
    }
}

/// Whether somebody who failed so with TLS may answer without: not one who does not answer at all, since a firewall keeps
/// silent to both. On this machine there is none.
fn may_speak_plainly(error: &Error, here: bool) -> bool {
    use FailureKind::{Broken, NotTls, Refused, TimedOut};
    error.kind().is_some_and(|kind| matches!(kind, NotTls | Refused | Broken) || here && kind == TimedOut)
}

/// What to do about a registry that does not speak TLS, and what that means.
fn with_help_about_tls(error: Error, registry: &str) -> Error {
    match error {
        Error::Unreachable { host, cause, kind: kind @ (FailureKind::NotTls | FailureKind::Broken) } => {
            let cause = format!(
                "{cause}\n  help: if it is a registry without TLS: --tls-verify=false takes it so for once; \
                 {{\"insecure-registries\": [\"{registry}\"]}} in ~/.config/docker/daemon.json or \
                 /etc/docker/daemon.json does always\n  help: without TLS, anybody in between can change what a tag \
                 means, but never what a digest means"
            );
            Error::Unreachable { host, cause, kind }
        }
        other => other,
    }
}

/// Permission to read, or to write too, in a repository: what a token has to be good for.
pub fn scope(path: &str, actions: &str) -> String {
    format!("repository:{path}:{actions}")
}

/// Reads and writes of manifests, blobs and lists.
impl Client<'_> {
    /// Whether the registry has a blob.
    pub fn has_blob(&self, path: &str, digest: &Digest, scopes: &[String]) -> Result<bool> {
        let url = self.url(&format!("/v2/{path}/blobs/{digest}"))?;
        match self.persist(|| self.call(&Request::new(Method::HEAD, url.clone(), Payload::None), scopes)) {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A list that comes in pages: of tags, of repositories. `member` is its name in the document.
    pub fn list(&self, first: &str, member: &str, scopes: &[String]) -> Result<Vec<String>> {
        let (mut names, mut size) = (Vec::new(), 0);
        let mut next = Some(self.url(first)?);
        while let Some(url) = next.take() {
            let response = self.persist(|| self.call(&Request::get(url.clone()), scopes))?;
            next = match response.header("link").and_then(next_page) {
                Some(link) => Some(self.follow(&url, link)?),
                None => None,
            };
            let page = read_at_most(response, LARGEST_PAGE, member)?;
            let wrong = |error| Error::Wrong(format!("{}: its list of {member} is none: {error}", self.origin));
            let mut page: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&page).map_err(wrong)?;
            let page: Option<Vec<String>> =
                serde_json::from_value(page.remove(member).unwrap_or_default()).map_err(wrong)?;
            let page = page.unwrap_or_default();
            size += page.iter().map(|name| size_of::<String>() + name.len()).sum::<usize>();
            if page.is_empty() || size > LARGEST_LIST {
                break;
            }
            names.extend(page.into_iter().filter(|name| name.len() <= LONGEST_NAME));
        }
        Ok(names)
    }
}

/// No page of a list is larger.
const LARGEST_PAGE: u64 = 4 << 20;
/// No more of a list is held in memory.
const LARGEST_LIST: usize = 16 << 20;
/// No name of a repository is longer, and no tag.
const LONGEST_NAME: usize = 255;

/// `<URL>; rel="next"` (RFC 8288).
fn next_page(link: &str) -> Option<&str> {
    let (url, parameters) = link.strip_prefix('<')?.split_once('>')?;
    parameters.contains("rel=\"next\"").then_some(url)
}
