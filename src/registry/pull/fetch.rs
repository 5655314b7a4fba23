//! Asking a registry for a manifest or an index.

use images::Digest;
use images::store::DOCUMENT_MAX;

use crate::image::manifest::{Document, read};
use crate::registry::client::Client;
use crate::registry::error::{Error, Result};
use crate::registry::transport::{Request, read_at_most};

/// What is asked for.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                      application/vnd.docker.distribution.manifest.v2+json, \
                      application/vnd.docker.distribution.manifest.list.v2+json";

/// A document as it came.
#[derive(Debug)]
pub struct Fetched {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// What it is.
    pub media_type: String,
    /// What it says.
    pub document: Document,
}

/// Gets what `reference` means, a tag or a digest, in the repository `path`.
pub fn fetch(client: &Client<'_>, path: &str, reference: &str, scopes: &[String]) -> Result<Fetched> {
    let url = client.url(&format!("/v2/{path}/manifests/{reference}"))?;
    let (media_type, claimed, bytes) = client.persist(|| {
        let response = client.call(&Request::get(url.clone()).header("accept", ACCEPT), scopes)?;
        let owned = |name| response.header(name).map(str::to_owned);
        let (media_type, claimed) = (owned("content-type"), owned("docker-content-digest"));
        Ok((media_type, claimed, read_at_most(response, DOCUMENT_MAX, "the manifest")?))
    })?;
    let digest = Digest::of(&bytes);
    let expected = [Digest::parse(reference).ok(), claimed.and_then(|claimed| Digest::parse(&claimed).ok())];
    if let Some(expected) = expected.into_iter().flatten().find(|expected| *expected != digest) {
        return Err(Error::Wrong(format!(
            "the manifest is not what it should be: its digest is {digest}, not {expected}"
        )));
    }
    let read = read(&bytes, media_type.as_deref().unwrap_or_default());
    let (media_type, document) = read.map_err(|error| Error::Wrong(format!("{error:#}")))?;
    Ok(Fetched { bytes, digest, media_type, document })
}
