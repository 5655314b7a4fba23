//! Getting a token.

use serde::Deserialize;
use ureq::http::Method;

use super::{Credentials, basic};
use crate::registry::error::{Error, Result};
use crate::registry::refusal::error_of;
use crate::registry::transport::origin::{Origin, encode, parse_url, with_parameter};
use crate::registry::transport::{Payload, Request, Transport, read_at_most};
use crate::text::printable;

/// No response with a token is larger.
const LARGEST: u64 = 256 << 10;
/// No token is larger: it has to fit into the headers of every request.
const LARGEST_TOKEN: usize = 48 << 10;
/// What a token server may know us by.
const CLIENT: &str = "tinbox";

/// A token that is wished for.
pub struct TokenRequest<'a> {
    /// Who gives it: a URL.
    pub realm: &'a str,
    /// For whom.
    pub service: Option<&'a str>,
    /// For what.
    pub scopes: &'a [&'a str],
}

#[derive(Deserialize)]
struct TokenResponse {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

/// Asks the server at `wish.realm` for a token for `registry`.
pub fn fetch(
    transport: &Transport<'_>,
    registry: &Origin,
    wish: &TokenRequest<'_>,
    credentials: Option<&Credentials>,
) -> Result<String> {
    let realm = parse_url(wish.realm)?;
    check_realm(&Origin::of(&realm)?, registry)?;
    let refreshed;
    let request = match credentials {
        Some(Credentials::IdentityToken(token)) => {
            refreshed = form(wish, token);
            Request::new(Method::POST, realm, Payload::Bytes(refreshed.as_bytes()))
                .header("content-type", "application/x-www-form-urlencoded")
        }
        credentials => {
            let request = Request::get(parse_url(&query(wish, credentials))?);
            match credentials.and_then(basic) {
                Some(authorization) => request.header("authorization", authorization),
                None => request,
            }
        }
    };
    let response = transport.send(&request)?;
    match response.status {
        200 => {}
        401 if credentials.is_some() => {
            let message = "unauthorized: incorrect username or password".to_owned();
            return Err(Error::Refused { status: 401, message, retry_after: None });
        }
        _ => return Err(error_of(response)),
    }
    let body = read_at_most(response, LARGEST, "a token")?;
    // The response itself is a secret: it is not shown in the error.
    let response: TokenResponse = serde_json::from_slice(&body)
        .map_err(|_| Error::Wrong(format!("{}: its response holds no token", printable(wish.realm))))?;
    let token = if response.token.is_empty() { response.access_token } else { response.token };
    let sound = !token.is_empty() && token.len() <= LARGEST_TOKEN && token.bytes().all(|b| b.is_ascii_graphic());
    if sound { Ok(token) } else { Err(Error::Wrong(format!("{}: its token is none", printable(wish.realm)))) }
}

/// A registry names the token server that it trusts, so it may be another one; but nobody must be able to listen
/// there, unless they can listen at the registry too.
fn check_realm(realm: &Origin, registry: &Origin) -> Result<()> {
    let as_open = !registry.https && realm.host == registry.host;
    if realm.https || as_open {
        return Ok(());
    }
    Err(Error::Wrong(format!("{registry} sends to http://{realm} for a token: without TLS, it would not stay secret")))
}

fn query(wish: &TokenRequest<'_>, credentials: Option<&Credentials>) -> String {
    let mut url = wish.realm.to_owned();
    if let Some(service) = wish.service {
        url = with_parameter(&url, "service", service);
    }
    for scope in wish.scopes {
        url = with_parameter(&url, "scope", scope);
    }
    if let Some(Credentials::Password { name, .. }) = credentials {
        url = with_parameter(&url, "account", name);
    }
    url
}

fn form(wish: &TokenRequest<'_>, token: &str) -> String {
    let scopes = wish.scopes.join(" ");
    let fields = [
        ("grant_type", "refresh_token"),
        ("service", wish.service.unwrap_or_default()),
        ("client_id", CLIENT),
        ("scope", &scopes),
        ("refresh_token", token),
    ];
    fields.map(|(name, value)| format!("{name}={}", encode(value))).join("&")
}
