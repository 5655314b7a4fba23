//! A file from somewhere on the web, which needs no registry.

use std::io::Read;

use images::shown;

use super::access::Access;
use super::error::{Error, Result};
use super::refusal::error_of;
use super::transport::origin::{Origin, parse_url, resolve};
use super::transport::{REDIRECTS, Request, Transport};

/// Begins to fetch what is at `url`, and follows where it is sent on to. What came by TLS so far must do so from there
/// on.
pub fn download(access: &Access, url: &str) -> Result<impl Read + Send + use<>> {
    let mut url = parse_url(url)?;
    let transport = Transport::new(access, &Origin::of(&url)?.host, access.tls_verify);
    for _ in 0..=REDIRECTS {
        let response = transport.send(&Request::get(url.clone()))?;
        match response.status {
            200 => return Ok(response.body.into_reader()),
            301..=303 | 307 | 308 => {
                let location = response.header("location").unwrap_or_default();
                let target = resolve(&url, location)?;
                if Origin::of(&url)?.https && !Origin::of(&target)?.https {
                    let shown = shown(location.as_bytes());
                    return Err(Error::Wrong(format!("it sends to {shown}, without TLS")));
                }
                url = target;
            }
            _ => return Err(error_of(response)),
        }
    }
    Err(Error::Wrong("it sends from one place to the next, without an end".into()))
}
