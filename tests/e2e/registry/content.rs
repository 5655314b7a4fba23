//! Images made by hand: what a registry has to give.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use images::Digest;
use serde_json::{Value, json};

use super::http::{Answer, Request};

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Makes a layer of a tar archive: its bytes, and what they are said to be.
pub type Compress<'a> = &'a dyn Fn(&[u8]) -> (Vec<u8>, String);

/// An image, and everything that it is made of.
#[derive(Debug, Clone)]
pub struct Content {
    pub blobs: HashMap<Digest, Vec<u8>>,
    pub layers: Vec<Value>,
    pub config: Value,
    /// The bytes of the manifest, and what they are said to be.
    pub manifest: (Vec<u8>, &'static str),
}

impl Content {
    /// One with these layers, which are tar archives, for a machine like this one.
    pub fn of(layers: &[Vec<u8>]) -> Content {
        Content::with(layers, std::env::consts::ARCH, &|tar| (gzip(tar), LAYER.to_owned()))
    }

    /// One for an architecture, compressed somehow.
    pub fn with(layers: &[Vec<u8>], architecture: &str, compress: Compress<'_>) -> Content {
        let architecture = match architecture {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let mut blobs = HashMap::new();
        let mut descriptors = Vec::new();
        for tar in layers {
            let (blob, media_type) = compress(tar);
            descriptors.push(descriptor(&media_type, &blob));
            blobs.insert(Digest::of(&blob), blob);
        }
        let diff_ids: Vec<Digest> = layers.iter().map(|tar| Digest::of(tar)).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": { "Cmd": ["sh"] },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let mut content = Content { blobs, layers: descriptors, config, manifest: (Vec::new(), MANIFEST) };
        content.seal();
        content
    }

    /// Makes config and manifest anew, after something was changed.
    pub fn seal(&mut self) {
        let config = serde_json::to_vec(&self.config).unwrap();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config), "layers": self.layers,
        });
        self.blobs.insert(Digest::of(&config), config);
        self.manifest = (serde_json::to_vec(&manifest).unwrap(), MANIFEST);
    }

    /// The digest of the layer `at`.
    pub fn layer(&self, at: usize) -> Digest {
        Digest::parse(self.layers[at]["digest"].as_str().unwrap()).unwrap()
    }

    /// The digest of the manifest.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest.0)
    }

    /// What a well-behaved registry answers that has this as `app:1`.
    pub fn answer(&self, request: &Request) -> Answer {
        let digest = |text: &str| Digest::parse(text).ok();
        let path = request.path.split('?').next().unwrap();
        if path == "/v2/" {
            return Answer::ok("{}");
        }
        if let Some(reference) = path.strip_prefix("/v2/app/manifests/") {
            let (bytes, media_type) = &self.manifest;
            let known = reference == "1" || digest(reference) == Some(self.digest());
            let bytes = match digest(reference).and_then(|digest| self.blobs.get(&digest)) {
                Some(other) if !known => other,
                _ if known => bytes,
                _ => return unknown("MANIFEST_UNKNOWN", "manifest unknown"),
            };
            let media_type = if known { media_type } else { MANIFEST };
            return Answer::ok(bytes.clone()).header("content-type", media_type);
        }
        let blob = path.strip_prefix("/v2/app/blobs/").and_then(digest).and_then(|digest| self.blobs.get(&digest));
        let Some(blob) = blob else { return unknown("BLOB_UNKNOWN", "blob unknown to registry") };
        match range(request) {
            Some(from) => {
                let last = blob.len() - 1;
                let part = Answer { status: 206, ..Answer::ok(&blob[from..]) };
                part.header("content-range", format!("bytes {from}-{last}/{}", blob.len()))
            }
            None => Answer::ok(blob.clone()),
        }
    }

    /// Writes it as an OCI layout, with the name `1`.
    pub fn write_layout(&self, dir: &Path) {
        let blobs = dir.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        for (digest, blob) in &self.blobs {
            std::fs::write(blobs.join(digest.hex()), blob).unwrap();
        }
        std::fs::write(blobs.join(self.digest().hex()), &self.manifest.0).unwrap();
        std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let mut entry = descriptor(self.manifest.1, &self.manifest.0);
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": "1" });
        let index = json!({ "schemaVersion": 2, "manifests": [entry] });
        std::fs::write(dir.join("index.json"), index.to_string()).unwrap();
    }
}

/// Where a request wants to go on.
pub fn range(request: &Request) -> Option<usize> {
    request.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn unknown(code: &str, message: &str) -> Answer {
    let body = json!({ "errors": [{ "code": code, "message": message }] });
    Answer { status: 404, ..Answer::ok(body.to_string()) }
}

pub fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() })
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// A layer with one file, as a tar archive.
pub fn file(path: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, path, content);
    archive.into_inner().unwrap()
}

/// Adds a file to an archive.
pub fn append(archive: &mut tar::Builder<Vec<u8>>, path: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    archive.append_data(&mut header, path, content).unwrap();
}

/// Bytes that cannot be compressed, the same ones each time.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}
