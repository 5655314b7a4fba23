//! What a request is about.
//!
//! Source: distribution specification, "Endpoints".

use std::collections::HashMap;

use hyper::Uri;

/// A place in the API.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// `/v2/`: whether this is a registry.
    Base,
    /// `/v2/_catalog`.
    Catalog,
    /// `/v2/NAME/tags/list`.
    Tags(String),
    /// `/v2/NAME/manifests/REFERENCE`.
    Manifest(String, String),
    /// `/v2/NAME/blobs/DIGEST`.
    Blob(String, String),
    /// `/v2/NAME/blobs/uploads/`.
    Uploads(String),
    /// `/v2/NAME/blobs/uploads/ID`.
    Upload(String, String),
    /// `/v2/NAME/referrers/DIGEST`.
    Referrers(String),
}

impl Place {
    /// The place that a path means; `None` if it is nowhere. Names have slashes in them, and any word may be a part of
    /// one, so a path is read from its end.
    pub fn of(path: &str) -> Option<Place> {
        let path = decoded(path)?;
        let parts: Vec<&str> = path.strip_prefix("/v2")?.split('/').skip(1).collect();
        let name = |parts: &[&str]| (!parts.is_empty() && !parts.contains(&"")).then(|| parts.join("/"));
        Some(match parts.as_slice() {
            [] | [""] => Place::Base,
            ["_catalog"] => Place::Catalog,
            [at @ .., "tags", "list"] => Place::Tags(name(at)?),
            [at @ .., "blobs", "uploads"] | [at @ .., "blobs", "uploads", ""] => Place::Uploads(name(at)?),
            [at @ .., "blobs", "uploads", id] => Place::Upload(name(at)?, (*id).to_owned()),
            [at @ .., "blobs", digest] => Place::Blob(name(at)?, (*digest).to_owned()),
            [at @ .., "manifests", reference] => Place::Manifest(name(at)?, (*reference).to_owned()),
            [at @ .., "referrers", _] => Place::Referrers(name(at)?),
            _ => return None,
        })
    }
}

/// The parameters behind the question mark. Of several with one name, the first counts.
pub fn parameters(uri: &Uri) -> HashMap<String, String> {
    let mut parameters = HashMap::new();
    for pair in uri.query().unwrap_or_default().split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let (Some(key), Some(value)) = (decoded(key), decoded(value)) {
            parameters.entry(key).or_insert(value);
        }
    }
    parameters
}

/// Without `%` and two digits for a byte. Source: RFC 3986, section 2.1.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match first {
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                let digit = |digit: u8| char::from(digit).to_digit(16);
                (digit(digits[0])? << 4 | digit(digits[1])?) as u8
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_their_end() {
        let name = |text: &str| text.to_owned();
        for (path, place) in [
            ("/v2", Some(Place::Base)),
            ("/v2/", Some(Place::Base)),
            ("/v2/_catalog", Some(Place::Catalog)),
            ("/v2/a/b/tags/list", Some(Place::Tags(name("a/b")))),
            ("/v2/a/blobs/b/blobs/sha256:0", Some(Place::Blob(name("a/blobs/b"), name("sha256:0")))),
            ("/v2/a/blobs/sha256%3A0", Some(Place::Blob(name("a"), name("sha256:0")))),
            ("/v2/a/blobs/uploads/", Some(Place::Uploads(name("a")))),
            ("/v2/a/blobs/uploads", Some(Place::Uploads(name("a")))),
            ("/v2/a/blobs/uploads/12", Some(Place::Upload(name("a"), name("12")))),
            ("/v2/tags/list/manifests/x", Some(Place::Manifest(name("tags/list"), name("x")))),
            ("/v2/a/referrers/sha256:0", Some(Place::Referrers(name("a")))),
            ("/v2//tags/list", None),
            ("/v2/tags/list", None),
            ("/v2/a//b/tags/list", None),
            ("/v2/a/manifests/%", None),
            ("/v2/a/manifests/%ff", None),
            ("/v1/", None),
            ("/", None),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
    }

    #[test]
    fn parameters_are_decoded() {
        let parameters = parameters(&"/v2/?digest=sha256%3A00&n=5&n=6&x".parse().unwrap());
        assert_eq!(parameters["digest"], "sha256:00");
        assert_eq!((&*parameters["n"], &*parameters["x"]), ("5", ""));
    }
}
