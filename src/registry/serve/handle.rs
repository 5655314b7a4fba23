//! Who answers a request.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, EXPECT};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use images::Digest;

use super::answer::{self, Answer, Content, Refusal, Result};
use super::body::discard;
use super::route::{Place, parameters};
use super::{Event, Registry};

/// Answers `request`, which came from `client`.
pub async fn handle(
    registry: Arc<Registry>,
    client: IpAddr,
    request: Request<Incoming>,
) -> std::result::Result<Answer, Infallible> {
    let asked = format!("{} {}", request.method(), request.uri());
    let (method, place) = (request.method().clone(), Place::of(request.uri().path()));
    let (head, mut body) = request.into_parts();
    let announced = body.size_hint().exact();
    let answer = respond(&registry, client, place.as_ref(), &head, &mut body).await;
    let mut answer = answer.unwrap_or_else(|refusal| refusal.answer());
    let length = answer.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let (status, length) = (answer.status().as_u16(), length.unwrap_or(0));
    (registry.tell)(Event::Request { client, asked, status, length });
    // Whoever asked first whether to send waits until the first byte is read.
    let waits = head.headers.contains_key(EXPECT) && body.size_hint().exact() == announced;
    if !answer.status().is_success() && !waits {
        discard(&mut body).await;
    }
    if method == Method::HEAD {
        *answer.body_mut() = Content::Bytes(Bytes::new());
    }
    if answer.status().is_success() && matches!(method, Method::GET | Method::HEAD) {
        note(&registry, client, place, &mut answer);
    }
    Ok(answer)
}

/// Takes down what is sent to whom.
fn note(registry: &Registry, client: IpAddr, place: Option<Place>, answer: &mut Answer) {
    let digest = answer.headers().get("docker-content-digest").and_then(|digest| digest.to_str().ok());
    let Some(digest) = digest.and_then(|digest| Digest::parse(digest).ok()) else { return };
    match (place, answer.body_mut()) {
        (Some(Place::Manifest(name, reference)), _) => registry.pulls.asked(client, &name, &reference, digest),
        (Some(Place::Blob(name, _)), Content::File { delivery, .. }) => {
            *delivery = registry.pulls.deliver(client, &name, digest);
        }
        _ => {}
    }
}

async fn respond(
    registry: &Arc<Registry>,
    client: IpAddr,
    place: Option<&Place>,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Answer> {
    let nowhere = || Refusal::unknown("NAME_UNKNOWN", "there is nothing here: the API of registries begins at /v2/");
    let parameters = parameters(&head.uri);
    let headers = &head.headers;
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    match (place.ok_or_else(nowhere)?, &head.method) {
        (Place::Base, _) if reads => Ok(answer::json(StatusCode::OK, &serde_json::json!({}))),
        (Place::Catalog, _) if reads => registry.repositories(&parameters).await,
        (Place::Tags(name), _) if reads => registry.tags(name, &parameters).await,
        (Place::Manifest(name, reference), _) if reads => registry.manifest(name, reference, headers).await,
        (Place::Blob(name, digest), _) if reads => registry.blob(name, digest, headers).await,
        (Place::Referrers(name), _) if reads => registry.referrers(name).await,
        (Place::Upload(name, id), _) if reads => registry.upload_status(name, id),
        (Place::Uploads(name), &Method::POST) => registry.begin_upload(name, &parameters, body, client).await,
        (Place::Upload(name, id), &Method::PATCH) => registry.continue_upload(name, id, headers, body).await,
        (Place::Upload(name, id), &Method::PUT) => {
            registry.finish_upload(name, id, parameters.get("digest"), body, client).await
        }
        (Place::Upload(name, id), &Method::DELETE) => registry.end_upload(name, id),
        (Place::Manifest(name, reference), &Method::PUT) => {
            registry.put_manifest(name, reference, headers, body, client).await
        }
        (Place::Manifest(..) | Place::Blob(..), &Method::DELETE) => {
            Err(Refusal::unsupported("nothing is deleted over the network: `tinbox rmi` does it here"))
        }
        _ => Err(Refusal::unsupported("this cannot be done to that")),
    }
}
