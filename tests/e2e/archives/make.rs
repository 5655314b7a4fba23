//! Archives made by hand.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use images::Digest;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A member of an archive.
pub enum Member {
    File(String, Vec<u8>),
    Link(EntryType, String, String),
}

/// An archive that is being made.
#[derive(Default)]
pub struct Archive(pub Vec<Member>);

impl Archive {
    pub fn file(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Archive {
        self.0.push(Member::File(path.into(), content.into()));
        self
    }

    pub fn json(self, path: &str, content: &Value) -> Archive {
        self.file(path, content.to_string())
    }

    pub fn link(mut self, path: &str, target: &str) -> Archive {
        self.0.push(Member::Link(EntryType::Symlink, path.into(), target.into()));
        self
    }

    pub fn hard_link(mut self, path: &str, target: &str) -> Archive {
        self.0.push(Member::Link(EntryType::Link, path.into(), target.into()));
        self
    }

    /// A file of an image layout.
    pub fn blob(self, content: impl Into<Vec<u8>>) -> Archive {
        let content = content.into();
        self.file(format!("blobs/sha256/{}", Digest::of(&content).hex()), content)
    }

    pub fn bytes(self) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for member in self.0 {
            let mut header = Header::new_gnu();
            header.set_mode(0o644);
            header.set_mtime(0);
            match member {
                Member::File(path, content) => {
                    header.set_size(content.len() as u64);
                    builder.append_data(&mut header, path, content.as_slice()).unwrap();
                }
                Member::Link(kind, path, target) => {
                    header.set_entry_type(kind);
                    header.set_size(0);
                    builder.append_link(&mut header, path, target).unwrap();
                }
            }
        }
        builder.into_inner().unwrap()
    }
}

/// A layer with one file.
pub fn layer(path: &str, content: &str) -> Vec<u8> {
    Archive::default().file(path, content).bytes()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The config of an image of these layers.
pub fn config(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    let platform = images::oci::Platform::here();
    let config = json!({
        "architecture": platform.architecture, "os": "linux", "config": { "Cmd": ["/hello"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    config.to_string().into_bytes()
}

pub fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() })
}

/// The descriptor, with a name.
pub fn named(mut descriptor: Value, name: &str) -> Value {
    descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
    descriptor
}

/// A manifest of a config and layers, as they are in the archive.
pub fn manifest(config: &[u8], layers: &[&[u8]]) -> Vec<u8> {
    let layer = |layer: &&[u8]| {
        let compressed = layer.starts_with(&[0x1f, 0x8b]);
        let suffix = if compressed { "+gzip" } else { "" };
        descriptor(&format!("application/vnd.oci.image.layer.v1.tar{suffix}"), layer)
    };
    let layers: Vec<Value> = layers.iter().map(layer).collect();
    let config = descriptor("application/vnd.oci.image.config.v1+json", config);
    json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers }).to_string().into_bytes()
}

pub fn index(entries: &[Value]) -> Value {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries })
}

/// An image layout with one image, called `name`, of these layers, compressed.
pub fn layout(name: &str, layers: &[&[u8]]) -> Archive {
    let compressed: Vec<Vec<u8>> = layers.iter().map(|layer| gzip(layer)).collect();
    let compressed: Vec<&[u8]> = compressed.iter().map(Vec::as_slice).collect();
    let config = config(layers);
    let manifest = manifest(&config, &compressed);
    let entry = named(descriptor(MANIFEST, &manifest), name);
    let archive = Archive::default().json("oci-layout", &json!({ "imageLayoutVersion": "1.0.0" }));
    let archive = archive.json("index.json", &index(&[entry])).blob(manifest).blob(config);
    compressed.into_iter().fold(archive, |archive, layer| archive.blob(layer))
}

/// What docker 20.10 saves: an image of these layers. A layer that is there twice is a link to the first.
pub fn docker(tags: &[&str], layers: &[&[u8]]) -> Archive {
    let config = config(layers);
    let path = format!("{}.json", Digest::of(&config).hex());
    let paths: Vec<String> = (0..layers.len()).map(|at| format!("id-{at}/layer.tar")).collect();
    let list = json!([{ "Config": path, "RepoTags": tags, "Layers": paths }]);
    let mut archive = Archive::default().file(path, config);
    for (at, layer) in layers.iter().enumerate() {
        archive = match layers.iter().position(|other| other == layer) {
            Some(first) if first < at => archive.link(&paths[at], &format!("../id-{first}/layer.tar")),
            _ => archive.file(&paths[at], *layer),
        };
        archive = archive.file(format!("id-{at}/VERSION"), "1.0");
    }
    archive.json("manifest.json", &list)
}
