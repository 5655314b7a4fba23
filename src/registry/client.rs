//! A registry, as the OCI distribution specification has it.
//!
//! Every call goes through [`Client::call`], which says who we are, follows redirects, and asks again with better
//! credentials if the registry wants them. A redirect to another host is followed without any credentials: blobs are
//! called by their digest, so it does not matter who sends them.
//!
//! Source: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.

use images::Digest;
use ureq::http::{Method, Uri};

use super::access::Access;
use super::auth::{Authorizer, Credentials};
use super::error::{Error, Result};
use super::refusal::refusal;
use super::transport::origin::{Origin, parse_url, resolve};
use super::transport::{Cancel, Payload, Request, Response, Retry, Transport, read_at_most};

/// A server that sends further and further has lost its way.
const REDIRECTS: usize = 5;

/// A registry that has answered.
pub struct Client<'a> {
    transport: Transport<'a>,
    authorizer: Authorizer<'a>,
    origin: Origin,
    base: String,
    stop: &'a Cancel,
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
        stop: &'a Cancel,
    ) -> Result<Client<'a>> {
        let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
        let origin = |scheme: &str| Origin::of(&parse_url(&format!("{scheme}://{host}/"))?);
        let secure = origin("https")?;
        let insecure = access.is_insecure(&secure, registry);
        let client = |origin: Origin, given| {
            let base = format!("{}://{origin}", if origin.https { "https" } else { "http" });
            let transport = Transport::new(access, &origin.host, !insecure);
            Client { transport, authorizer: Authorizer::new(access, registry, given), origin, base, stop }
        };
        let plain_will_do = insecure || secure.is_loopback();
        let first = client(secure, given.clone());
        match first.ping() {
            Ok(()) => Ok(first),
            Err(Error::Unreachable { .. }) if plain_will_do => {
                let second = client(origin("http")?, given);
                second.ping().map(|()| second)
            }
            Err(error) => Err(error),
        }
    }

    /// Asks whether anybody is there, and learns what they want to know about us. Without an answer there is no second
    /// attempt: where there is no network, that shall be said at once.
    fn ping(&self) -> Result<()> {
        let request = Request::get(self.url("/v2/")?);
        let mut persistence = Retry::new(self.stop);
        loop {
            let response = self.send(&request, &[])?;
            let from_elsewhere = Origin::of(&response.url)? != self.origin;
            match response.status {
                200 => return Ok(()),
                // What another host wants to know about us is no concern of ours.
                401 if from_elsewhere || self.authorizer.challenged(&response.headers) => return Ok(()),
                404 => return Err(Error::Wrong(format!("{} is no registry: it has no /v2/", self.origin))),
                _ => persistence.after(refusal(response))?,
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
        Retry::new(self.stop).run(attempt)
    }

    /// The news that it is all for nothing.
    pub fn stop(&self) -> &'a Cancel {
        self.stop
    }

    /// Sends a request for which `scopes` are needed, and answers with a response that says yes.
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
            _ => Err(refusal(response)),
        }
    }

    /// Sends a request, and follows where it is sent on to.
    fn send(&self, request: &Request<'_>, scopes: &[String]) -> Result<Response> {
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS {
            self.stop.check()?;
            let mut next = request.clone();
            next.url = url.clone();
            // Who we are is for the registry alone.
            if Origin::of(&url)? == self.origin
                && let Some(authorization) = self.authorizer.authorization(&self.transport, &self.origin, scopes)?
            {
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

/// Leave to read, or to write too, in a repository: what a token has to be good for.
pub fn scope(path: &str, actions: &str) -> String {
    format!("repository:{path}:{actions}")
}

/// Reads and writes of manifests, blobs and lists.
impl Client<'_> {
    /// The head of a blob: whether the registry has it, and how long it is.
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
