//! Who answers a request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::{Method, Request, StatusCode};

use super::Registry;
use super::answer::{self, Answer, Content, Refusal, Result};
use super::route::{Place, parameters};
use crate::say::say;

/// Answers `request`, which came from `from`.
pub async fn handle(
    registry: Arc<Registry>,
    from: SocketAddr,
    request: Request<Incoming>,
) -> std::result::Result<Answer, Infallible> {
    let asked = registry.log.then(|| format!("{} {}", request.method(), request.uri()));
    let head = request.method() == Method::HEAD;
    let mut answer = respond(&registry, request).await.unwrap_or_else(|refusal| refusal.answer());
    if let Some(asked) = asked {
        let length = answer.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).unwrap_or("0");
        let (asked, from) = (images::shown(asked.as_bytes()), from.ip());
        say!("{from} {asked} {} {length}", answer.status().as_u16());
    }
    if head {
        *answer.body_mut() = Content::Bytes(Bytes::new());
    }
    Ok(answer)
}

async fn respond(registry: &Arc<Registry>, request: Request<Incoming>) -> Result<Answer> {
    let (head, body) = request.into_parts();
    let nowhere = || Refusal::unknown("NAME_UNKNOWN", "there is nothing here: the API of registries begins at /v2/");
    let place = Place::of(head.uri.path()).ok_or_else(nowhere)?;
    let parameters = parameters(&head.uri);
    let headers = &head.headers;
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    match (place, head.method) {
        (Place::Base, _) if reads => Ok(answer::json(StatusCode::OK, &serde_json::json!({}))),
        (Place::Catalog, _) if reads => registry.repositories(&parameters).await,
        (Place::Tags(name), _) if reads => registry.tags(&name, &parameters).await,
        (Place::Manifest(name, reference), _) if reads => registry.manifest(&name, &reference, headers).await,
        (Place::Blob(name, digest), _) if reads => registry.blob(&name, &digest, headers).await,
        (Place::Referrers(name), _) if reads => registry.referrers(&name).await,
        (Place::Upload(name, id), _) if reads => registry.upload_status(&name, &id),
        (Place::Uploads(name), Method::POST) => registry.begin_upload(&name, &parameters, body).await,
        (Place::Upload(name, id), Method::PATCH) => registry.continue_upload(&name, &id, headers, body).await,
        (Place::Upload(name, id), Method::PUT) => {
            registry.finish_upload(&name, &id, parameters.get("digest"), body).await
        }
        (Place::Upload(name, id), Method::DELETE) => registry.end_upload(&name, &id),
        (Place::Manifest(name, reference), Method::PUT) => {
            registry.put_manifest(&name, &reference, headers, body).await
        }
        (Place::Manifest(..) | Place::Blob(..), Method::DELETE) => {
            Err(Refusal::unsupported("nothing is deleted over the network: `tinbox rmi` does it here"))
        }
        _ => Err(Refusal::unsupported("this cannot be done to that")),
    }
}
