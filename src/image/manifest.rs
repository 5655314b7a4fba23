//! The documents that say what an image is made of: a manifest, or an index of manifests for several machines.
//!
//! From a registry it comes with a media type in the headers and perhaps another one inside, and its members tell a third time what it
//! is. Where these do not agree, one program takes it for this and another for that, and what was checked is not what
//! is run. So a document that is two things at once is refused.

use anyhow::{Context, Result, bail, ensure};
use images::oci::{Index, Manifest, media};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::text::printable;

/// Overlayfs stacks no more layers than this (Documentation/filesystems/overlayfs.rst).
pub const LAYERS_MAX: usize = 500;

/// What it says.
#[derive(Debug)]
pub enum Document {
    /// One image.
    Manifest(Manifest),
    /// One image for several machines.
    Index(Index),
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

/// What `bytes` are, by the headers' media type, which may be empty, by their own, and by their members.
pub fn read(bytes: &[u8], head: &str) -> Result<(String, Document)> {
    const UNREADABLE: &str = "the manifest cannot be read";
    let members: Members = serde_json::from_slice(bytes).context(UNREADABLE)?;
    let head = head.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Servers of plain files do not know better.
    let says_nothing = ["", "application/json", "application/octet-stream", "text/plain"].contains(&&*head);
    let own = members.media_type.filter(|own| !own.is_empty());
    const REFUSED: &str = "the manifest is refused";
    if members.schema_version == 1 || members.fs_layers.is_some() {
        bail!("{REFUSED}: it is in Docker's old format (version 2, schema 1), which nobody should use any more");
    }
    if members.schema_version != 2 {
        bail!("{REFUSED}: its schemaVersion is not 2");
    }
    if let Some(own) = own.as_ref().filter(|own| !says_nothing && **own != head) {
        bail!("{REFUSED}: it comes as {}, and says that it is {}", printable(&head), printable(own));
    }
    let is_index = match (members.manifests.is_some(), members.layers.is_some() || members.config.is_some()) {
        (true, true) => bail!("{REFUSED}: it is a manifest and an index at once"),
        (false, false) => bail!("{REFUSED}: it is neither a manifest nor an index"),
        (is_index, _) => is_index,
    };
    let usual = if is_index { media::INDEX } else { media::MANIFEST };
    let media_type = own.unwrap_or(if says_nothing { usual.to_owned() } else { head });
    let as_index = match media_type.as_str() {
        media::MANIFEST | media::DOCKER_MANIFEST => false,
        media::INDEX | media::DOCKER_LIST => true,
        other => bail!("{REFUSED}: {} is no media type of an image", printable(other)),
    };
    if as_index != is_index {
        bail!("{REFUSED}: it says that it is {media_type}, but its members say something else");
    }
    let document = match is_index {
        true => Document::Index(serde_json::from_slice(bytes).context(UNREADABLE)?),
        false => Document::Manifest(serde_json::from_slice(bytes).context(UNREADABLE)?),
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
    ensure!(layers <= LAYERS_MAX, "it has {layers} layers, and overlayfs stacks {LAYERS_MAX}");
    for layer in &manifest.layers {
        let kind = layer.media_type.as_str();
        let is_layer = ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."]
            .iter()
            .any(|beginning| kind.starts_with(beginning));
        ensure!(is_layer && !kind.ends_with("encrypted"), "{} is no layer that Tinbox can unpack", printable(kind));
    }
    Ok(manifest)
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
            let error = format!("{:#}", read(&bytes, head).unwrap_err());
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
