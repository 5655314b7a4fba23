//! What a registry answers when asked for an image: a manifest, or an index of manifests for several machines.
//!
//! It comes with a media type in the head and perhaps another one inside, and its members tell a third time what it
//! is. Where these do not agree, one program takes it for this and another for that, and what was checked is not what
//! is run. So a document that is two things at once is refused.

use anyhow::ensure;
use images::Digest;
use images::oci::{Index, Manifest, media};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::client::Client;
use super::error::{Error, Result, printable};
use super::transport::{Request, read_at_most};

/// No manifest is larger: the limit that registries have, too.
pub const LARGEST: u64 = 4 << 20;

/// Overlayfs stacks no more layers than this (Documentation/filesystems/overlayfs.rst).
const MOST_LAYERS: usize = 500;

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

/// What it says.
#[derive(Debug)]
pub enum Document {
    /// One image.
    Manifest(Manifest),
    /// One image for several machines.
    Index(Index),
}

/// Gets what `reference` means, a tag or a digest, in the repository `path`.
pub fn fetch(client: &Client<'_>, path: &str, reference: &str, scopes: &[String]) -> Result<Fetched> {
    let url = client.url(&format!("/v2/{path}/manifests/{reference}"))?;
    let (media_type, claimed, bytes) = client.persist(|| {
        let response = client.call(&Request::get(url.clone()).header("accept", ACCEPT), scopes)?;
        let owned = |name| response.header(name).map(str::to_owned);
        let (media_type, claimed) = (owned("content-type"), owned("docker-content-digest"));
        Ok((media_type, claimed, read_at_most(response, LARGEST, "the manifest")?))
    })?;
    let digest = Digest::of(&bytes);
    let expected = [Digest::parse(reference).ok(), claimed.and_then(|claimed| Digest::parse(&claimed).ok())];
    if let Some(expected) = expected.into_iter().flatten().find(|expected| *expected != digest) {
        return Err(Error::Wrong(format!(
            "the manifest is not what it should be: its digest is {digest}, not {expected}"
        )));
    }
    let (media_type, document) = read(&bytes, media_type.as_deref().unwrap_or_default())?;
    Ok(Fetched { bytes, digest, media_type, document })
}

/// The members that tell what a document is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    schema_version: u32,
    media_type: Option<String>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    manifests: Option<IgnoredAny>,
    fs_layers: Option<IgnoredAny>,
}

/// What `bytes` are, by the head's media type, which may be empty, by their own, and by their members.
pub fn read(bytes: &[u8], head: &str) -> Result<(String, Document)> {
    let unreadable = |error| Error::Wrong(format!("the manifest cannot be read: {error}"));
    let members: Members = serde_json::from_slice(bytes).map_err(unreadable)?;
    let head = head.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Servers of plain files do not know better.
    let says_nothing = ["", "application/json", "application/octet-stream", "text/plain"].contains(&&*head);
    let own = members.media_type.filter(|own| !own.is_empty());
    if members.schema_version == 1 || members.fs_layers.is_some() {
        return wrong("it is in Docker's old format (version 2, schema 1), which nobody should use any more");
    }
    if members.schema_version != 2 {
        return wrong("its schemaVersion is not 2");
    }
    if let Some(own) = own.as_ref().filter(|own| !says_nothing && **own != head) {
        return wrong(&format!("it comes as {}, and says that it is {}", printable(&head), printable(own)));
    }
    let is_index = match (members.manifests.is_some(), members.layers.is_some() || members.config.is_some()) {
        (true, true) => return wrong("it is a manifest and an index at once"),
        (false, false) => return wrong("it is neither a manifest nor an index"),
        (is_index, _) => is_index,
    };
    let usual = if is_index { media::INDEX } else { media::MANIFEST };
    let media_type = own.unwrap_or(if says_nothing { usual.to_owned() } else { head });
    let as_index = match media_type.as_str() {
        media::MANIFEST | media::DOCKER_MANIFEST => false,
        media::INDEX | media::DOCKER_LIST => true,
        other => return wrong(&format!("{} is no media type of an image", printable(other))),
    };
    if as_index != is_index {
        return wrong(&format!("it says that it is {media_type}, but its members say something else"));
    }
    let document = match is_index {
        true => Document::Index(serde_json::from_slice(bytes).map_err(unreadable)?),
        false => Document::Manifest(serde_json::from_slice(bytes).map_err(unreadable)?),
    };
    Ok((media_type, document))
}

/// Whether it is a manifest of something that runs. Answers with it.
pub fn check_manifest(manifest: &Manifest) -> anyhow::Result<&Manifest> {
    let kind = manifest.config.media_type.as_str();
    // What Docker 1.10 pushed says no more than that it is bytes.
    let is_image = [media::CONFIG, media::DOCKER_CONFIG, "application/octet-stream"].contains(&kind);
    ensure!(is_image, "it is no image of a root file system: its config is {}", printable(kind));
    let layers = manifest.layers.len();
    ensure!(layers <= MOST_LAYERS, "it has {layers} layers, and overlayfs stacks {MOST_LAYERS}");
    for layer in &manifest.layers {
        let kind = layer.media_type.as_str();
        let is_layer = ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."]
            .iter()
            .any(|beginning| kind.starts_with(beginning));
        ensure!(is_layer && !kind.ends_with("encrypted"), "{} is no layer that Tinbox can unpack", printable(kind));
    }
    Ok(manifest)
}

fn wrong<T>(problem: &str) -> Result<T> {
    Err(Error::Wrong(format!("the manifest is refused: {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTOR: &str =
        r#"{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}"#;

    fn document(members: &str) -> Vec<u8> {
        format!("{{\"schemaVersion\":2,{}}}", members.replace('D', DESCRIPTOR)).into_bytes()
    }

    #[test]
    fn one_thing_at_a_time() {
        let manifest = document(r#""config":D,"layers":[D]"#);
        let index = document(r#""manifests":[D]"#);
        for head in [media::MANIFEST, media::DOCKER_MANIFEST, "application/json; charset=utf-8", ""] {
            assert!(matches!(read(&manifest, head), Ok((_, Document::Manifest(_)))), "{head}");
        }
        for head in [media::INDEX, media::DOCKER_LIST, ""] {
            assert!(matches!(read(&index, head), Ok((_, Document::Index(_)))), "{head}");
        }
        assert_eq!(read(&manifest, media::DOCKER_MANIFEST).unwrap().0, media::DOCKER_MANIFEST);
        let own = |own: &str, members: &str| document(&format!("\"mediaType\":\"{own}\",{members}"));
        let refused: [(&str, Vec<u8>, &str); 9] = [
            ("at once", document(r#""config":D,"layers":[],"manifests":[]"#), media::MANIFEST),
            ("neither", document(r#""x":1"#), media::MANIFEST),
            ("something else", manifest.clone(), media::INDEX),
            ("something else", index, media::MANIFEST),
            ("says that it is", own(media::INDEX, r#""manifests":[]"#), media::MANIFEST),
            ("says that it is", own(media::DOCKER_MANIFEST, r#""config":D,"layers":[]"#), media::MANIFEST),
            ("no media type", manifest.clone(), "text/html"),
            ("schema 1", br#"{"schemaVersion":1,"fsLayers":[]}"#.to_vec(), ""),
            ("duplicate", document(r#""config":D,"config":D,"layers":[]"#), ""),
        ];
        for (words, bytes, head) in refused {
            let error = read(&bytes, head).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
