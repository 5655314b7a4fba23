//! Looking for images by a word.
//!
//! Docker Hub answers to its own old interface (`/v1/search`), and so do a few others. The OCI distribution
//! specification knows no search; where there is a list of all repositories, it is filtered here.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::client::Client;
use super::error::{self, Error};
use super::refusal::error_of;
use super::transport::origin::{encode, parse_url};
use super::transport::{Operation, Payload, Request, Transport, read_at_most};
use crate::say::say;
use ureq::http::Method;

/// No response is larger.
const LARGEST: u64 = 4 << 20;
/// Where Docker Hub is searched.
const HUB: &str = "index.docker.io";

/// What a search came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchResults {
    /// As many as were asked for at most.
    pub images: Vec<FoundImage>,
    /// How many more there are.
    pub more: usize,
}

/// An image that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FoundImage {
    /// What to pull it by, without the registry.
    pub name: String,
    /// What its maker says about it.
    #[serde(deserialize_with = "or_empty")]
    pub description: String,
    /// How many people like it.
    pub star_count: u64,
    /// Whether the registry itself looks after it.
    pub is_official: bool,
    /// Whether it was made by the registry's own builds.
    pub is_automated: bool,
}

#[derive(Deserialize)]
struct SearchResponse {
    #[serde(default)]
    results: Vec<FoundImage>,
    /// How many there are all in all.
    #[serde(default)]
    num_results: usize,
}

/// Searches `registry` for `term`, and returns `limit` images at most.
pub fn search(registry: &str, term: &str, limit: usize, access: &Access) -> Result<SearchResults> {
    let operation = Operation::new(&|line| say!("{line}"));
    if registry == "docker.io" {
        let transport = Transport::new(access, HUB, true);
        return Ok(ask(&format!("https://{HUB}"), term, limit, &|request| transport.send(request))?);
    }
    let client = Client::connect(access, registry, None, &operation)?;
    let base = client.url("")?.to_string();
    match ask(base.trim_end_matches('/'), term, limit, &|request| client.call(request, &[])) {
        Ok(found) => return Ok(found),
        Err(error @ (Error::Unreachable { .. } | Error::Untrusted { .. })) => return Err(error.into()),
        // It is no wonder that it has no such interface.
        Err(_) => {}
    }
    let catalog = ["registry:catalog:*".to_owned()];
    let names = match client.list("/v2/_catalog?n=1000", "repositories", &catalog) {
        Ok(names) => names,
        Err(error) if error.status().is_some_and(|status| matches!(status, 401 | 403 | 404)) => {
            bail!("{registry} can neither be searched nor lists its repositories: {error}")
        }
        Err(error) => return Err(error.into()),
    };
    let mut names: Vec<String> = names.into_iter().filter(|name| name.contains(term)).collect();
    let more = names.len().saturating_sub(limit);
    names.truncate(limit);
    let images = names.into_iter().map(|name| FoundImage { name, ..FoundImage::default() }).collect();
    Ok(SearchResults { images, more })
}

fn ask(
    base: &str,
    term: &str,
    limit: usize,
    send: &dyn Fn(&Request<'_>) -> error::Result<super::transport::Response>,
) -> error::Result<SearchResults> {
    let url = parse_url(&format!("{base}/v1/search?q={}&n={limit}", encode(term)))?;
    let response = send(&Request::new(Method::GET, url, Payload::None))?;
    if response.status != 200 {
        return Err(error_of(response));
    }
    let body = read_at_most(response, LARGEST, "the response to a search")?;
    let mut response: SearchResponse = serde_json::from_slice(&body)
        .map_err(|error| Error::Wrong(format!("{base}: its response to a search cannot be read: {error}")))?;
    response.results.truncate(limit);
    let more = response.num_results.saturating_sub(response.results.len());
    Ok(SearchResults { images: response.results, more })
}

/// `null` as nothing.
fn or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
