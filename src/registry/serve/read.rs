//! Handing out what there is.
//!
//! Source: distribution specification, "Pull", "Content Discovery".

use std::collections::HashMap;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, HeaderMap, IF_NONE_MATCH, IF_RANGE, RANGE};
use images::oci::{Index, media};
use images::{Digest, shown};

use super::answer::{self, Answer, Content, Refusal, Result};
use super::catalog::{Catalog, Repository};
use super::{Registry, range};

/// No list is longer, whatever is asked for: the rest comes when it is asked for.
const LIST_MAX: usize = 1000;

impl Registry {
    /// What there is at this moment.
    pub(super) async fn current(&self) -> Result<Arc<Catalog>> {
        Ok(self.cache.catalog().await?)
    }

    /// The manifest that a tag or a digest stands for.
    pub(super) async fn manifest(&self, name: &str, reference: &str, headers: &HeaderMap) -> Result<Answer> {
        let catalog = self.current().await?;
        let repository = find(&catalog, name)?;
        let found = match Digest::parse(reference) {
            Ok(digest) => repository.manifests.get(&digest),
            Err(_) => repository.tags.get(reference),
        };
        let Some(manifest) = found else {
            let message = format!("{}:{} is not known here", shown(name.as_bytes()), shown(reference.as_bytes()));
            return Err(Refusal::unknown("MANIFEST_UNKNOWN", message));
        };
        let media_type = if manifest.media_type.is_empty() { media::MANIFEST } else { &manifest.media_type };
        let content = Content::Bytes(self.store.read_blob(&manifest.digest)?.into());
        Ok(identified(answer::with(StatusCode::OK, content), &manifest.digest, media_type, headers))
    }

    /// A blob, or a part of it.
    pub(super) async fn blob(&self, name: &str, digest: &str, headers: &HeaderMap) -> Result<Answer> {
        let Ok(digest) = Digest::parse(digest) else {
            return Err(Refusal::bad("DIGEST_INVALID", "this is not a SHA-256 digest"));
        };
        let unknown = || Refusal::unknown("BLOB_UNKNOWN", format!("{digest} is not known here"));
        // What was uploaded, and is part of no image yet, can be seen, too.
        let uploaded = self.writing.as_ref().and_then(|writing| writing.uploads.blob(&digest));
        let (file, size) = match uploaded {
            Some(uploaded) => uploaded,
            None => {
                let catalog = self.current().await?;
                if !find(&catalog, name)?.blobs.contains(&digest) {
                    return Err(unknown());
                }
                self.cache.blob(digest).await?.ok_or_else(unknown)?
            }
        };
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        // A part of something else would be of no use.
        let same = header(IF_RANGE).is_none_or(|wanted| wanted == etag(&digest));
        let answer = match range::part(header(RANGE).filter(|_| same), size) {
            Ok(None) => answer::with(StatusCode::OK, Content::file(file, 0, size)),
            Ok(Some((at, left))) => {
                let mut answer = answer::with(StatusCode::PARTIAL_CONTENT, Content::file(file, at, left));
                let last = at + left - 1;
                answer::header(&mut answer, "content-range", &format!("bytes {at}-{last}/{size}"));
                answer
            }
            Err(()) => {
                let mut answer = answer::empty(StatusCode::RANGE_NOT_SATISFIABLE);
                answer::header(&mut answer, "content-range", &format!("bytes */{size}"));
                return Ok(answer);
            }
        };
        let mut answer = identified(answer, &digest, "application/octet-stream", headers);
        answer::header(&mut answer, "accept-ranges", "bytes");
        Ok(answer)
    }

    /// The tags of a repository.
    pub(super) async fn tags(&self, name: &str, parameters: &HashMap<String, String>) -> Result<Answer> {
        let catalog = self.current().await?;
        let tags = find(&catalog, name)?.tags.keys();
        let (page, next) = page(tags, parameters);
        let answer = answer::json(StatusCode::OK, &serde_json::json!({ "name": name, "tags": page }));
        Ok(linked(answer, &format!("/v2/{name}/tags/list"), next))
    }

    /// The names of all repositories: short ones, where there are two.
    pub(super) async fn repositories(&self, parameters: &HashMap<String, String>) -> Result<Answer> {
        let catalog = self.current().await?;
        let (page, next) = page(catalog.paths(), parameters);
        let answer = answer::json(StatusCode::OK, &serde_json::json!({ "repositories": page }));
        Ok(linked(answer, "/v2/_catalog", next))
    }

    /// What refers to a manifest: nothing does, for there are only images here.
    pub(super) async fn referrers(&self, name: &str) -> Result<Answer> {
        find(&*self.current().await?, name)?;
        let mut answer = answer::json(StatusCode::OK, &Index::new(Vec::new()));
        answer::header(&mut answer, "content-type", media::INDEX);
        Ok(answer)
    }
}

fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Repository> {
    let unknown =
        || Refusal::unknown("NAME_UNKNOWN", format!("repository {} is not known here", shown(name.as_bytes())));
    catalog.repositories.get(name).ok_or_else(unknown)
}

fn etag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// Says what an answer is; and if who asks has it already, only that.
fn identified(mut answer: Answer, digest: &Digest, media_type: &str, headers: &HeaderMap) -> Answer {
    let etag = etag(digest);
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|list| list.split(',')).map(|one| one.trim().trim_start_matches("W/"));
    if known.any(|one| one == etag || one == "*") {
        answer = answer::empty(StatusCode::NOT_MODIFIED);
        // It would be that of what is not sent.
        answer.headers_mut().remove(CONTENT_LENGTH);
    }
    answer::header(&mut answer, "content-type", media_type);
    answer::header(&mut answer, "docker-content-digest", &digest.to_string());
    answer::header(&mut answer, "etag", &etag);
    answer
}

/// At most `n` of `all`, those behind `last`; and how many are on the page and what the last one is, if there are more.
fn page<'a>(
    all: impl Iterator<Item = &'a String>,
    parameters: &HashMap<String, String>,
) -> (Vec<&'a String>, Option<(usize, &'a String)>) {
    let wanted = parameters.get("n").and_then(|n| n.parse::<usize>().ok()).unwrap_or(LIST_MAX);
    let count = wanted.min(LIST_MAX);
    let mut rest = all.skip_while(|one| parameters.get("last").is_some_and(|last| *one <= last));
    let page: Vec<&String> = rest.by_ref().take(count).collect();
    let next = page.last().copied().filter(|_| rest.next().is_some());
    (page, next.map(|last| (count, last)))
}

/// Says where the list goes on. Names and tags have no characters that mean something in a URL.
fn linked(mut answer: Answer, path: &str, next: Option<(usize, &String)>) -> Answer {
    if let Some((count, last)) = next {
        answer::header(&mut answer, "link", &format!("<{path}?n={count}&last={last}>; rel=\"next\""));
    }
    answer
}
