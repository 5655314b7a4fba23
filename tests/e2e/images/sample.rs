//! Images made by hand, in an archive that `tinbox load` reads.

use std::collections::HashSet;
use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use images::Digest;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use crate::support::{Ended, Tinbox};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Something in a layer.
pub enum Entry<'a> {
    Dir(&'a str),
    /// So many bytes.
    File(&'a str, usize),
    Text(&'a str, &'a str),
    Symlink(&'a str, &'a str),
    HardLink(&'a str, &'a str),
}

/// An image before it is one.
pub struct Sample<'a> {
    pub name: &'a str,
    pub created: &'a str,
    pub layers: Vec<Vec<Entry<'a>>>,
    pub history: Value,
    pub config: Value,
}

impl Sample<'_> {
    /// Loads it into the store of `tinbox`.
    pub fn load(&self, tinbox: &Tinbox) {
        load(tinbox, &[self]);
    }
}

/// Loads all of these.
pub fn load(tinbox: &Tinbox, samples: &[&Sample<'_>]) {
    let command = tinbox.command(["load", "-q"]);
    fed(command, &archive(samples)).ok();
}

/// Runs `command` with these bytes on its standard input.
pub fn fed(mut command: std::process::Command, input: &[u8]) -> Ended {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    Ended::of(child.wait_with_output().unwrap())
}

/// An OCI layout in a tar.
fn archive(samples: &[&Sample<'_>]) -> Vec<u8> {
    let mut out = Archive { tar: Builder::new(Vec::new()), there: HashSet::new() };
    let mut manifests = Vec::new();
    for sample in samples {
        let layers: Vec<Vec<u8>> = sample.layers.iter().map(|entries| layer(entries)).collect();
        let diff_ids: Vec<String> = layers.iter().map(|tar| Digest::of(tar).to_string()).collect();
        let layers: Vec<Value> = layers.iter().map(|tar| out.blob("layer.v1.tar+gzip", &stored(tar))).collect();
        let config = json!({
            "created": sample.created, "architecture": "amd64", "os": "linux", "config": sample.config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids }, "history": sample.history,
        });
        let config = out.blob("config.v1+json", &serde_json::to_vec(&config).unwrap());
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
        let mut descriptor = out.blob("manifest.v1+json", &serde_json::to_vec(&manifest).unwrap());
        descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": sample.name });
        manifests.push(descriptor);
    }
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    file(&mut out.tar, "index.json", &serde_json::to_vec(&index).unwrap());
    file(&mut out.tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    out.tar.into_inner().unwrap()
}

/// Compressed by nothing, so that the size is always the same.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// An archive, and which blobs it has.
struct Archive {
    tar: Builder<Vec<u8>>,
    there: HashSet<Digest>,
}

impl Archive {
    fn blob(&mut self, kind: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        if self.there.insert(digest) {
            file(&mut self.tar, &format!("blobs/sha256/{}", digest.hex()), bytes);
        }
        json!({ "mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest, "size": bytes.len() })
    }
}

fn file(out: &mut Builder<Vec<u8>>, path: &str, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    out.append_data(&mut header, path, bytes).unwrap();
}

/// A layer as a tar archive.
fn layer(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut out = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_gnu();
        header.set_mode(0o755);
        header.set_mtime(1_700_000_000);
        match entry {
            Entry::Dir(path) => {
                header.set_entry_type(EntryType::Directory);
                header.set_size(0);
                out.append_data(&mut header, path, &b""[..]).unwrap();
            }
            Entry::File(path, size) => file(&mut out, path, &vec![b'x'; *size]),
            Entry::Text(path, text) => file(&mut out, path, text.as_bytes()),
            Entry::Symlink(path, target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_size(0);
                out.append_link(&mut header, path, target).unwrap();
            }
            Entry::HardLink(path, target) => {
                header.set_entry_type(EntryType::Link);
                header.set_size(0);
                out.append_link(&mut header, path, target).unwrap();
            }
        }
    }
    out.into_inner().unwrap()
}

/// A small distribution: one layer.
pub fn alpine() -> Sample<'static> {
    let entries = vec![
        Entry::Dir("bin"),
        Entry::File("bin/busybox", 800_000),
        Entry::Symlink("bin/sh", "busybox"),
        Entry::Dir("etc"),
        Entry::Text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        Entry::Dir("usr"),
        Entry::Dir("usr/share"),
        Entry::File("usr/share/zoneinfo", 60_000),
        Entry::File("usr/share/terminfo", 20_000),
    ];
    Sample {
        name: "alpine:3",
        created: "2026-01-01T00:00:00Z",
        layers: vec![entries],
        history: json!([
            { "created": "2026-01-01T00:00:00Z", "created_by": "/bin/sh -c #(nop) ADD file:9e0d in / " },
            { "created": "2026-01-01T00:00:00Z", "created_by": "/bin/sh -c #(nop)  CMD [\"sh\"]", "empty_layer": true },
        ]),
        config: json!({ "Cmd": ["sh"], "Env": ["PATH=/bin"] }),
    }
}

/// Two layers on the same, which replace, delete and hide.
pub fn web() -> Sample<'static> {
    let alpine = alpine();
    let packages = vec![
        Entry::Dir("usr"),
        Entry::Dir("usr/bin"),
        Entry::File("usr/bin/python3", 50_000),
        Entry::Dir("usr/lib"),
        Entry::File("usr/lib/libpython3.so", 3_000_000),
        Entry::HardLink("usr/lib/libpython3.so.1", "usr/lib/libpython3.so"),
        Entry::Dir("var"),
        Entry::Dir("var/cache"),
        Entry::Dir("var/cache/apk"),
        Entry::File("var/cache/apk/python3.apk", 1_000_000),
        Entry::File("var/cache/apk/index", 500_000),
    ];
    let app = vec![
        Entry::Dir("etc"),
        Entry::Text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/srv:/bin/sh\n"),
        Entry::Dir("srv"),
        Entry::File("srv/main.py", 3_000),
        Entry::Dir("usr"),
        Entry::Dir("usr/share"),
        Entry::File("usr/share/.wh..wh..opq", 0),
        Entry::Dir("var"),
        Entry::Dir("var/cache"),
        Entry::File("var/cache/.wh.apk", 0),
    ];
    let history = json!([
        alpine.history[0], alpine.history[1],
        { "created": "2026-02-01T00:00:00Z", "created_by": "RUN /bin/sh -c apk add python3 # buildkit", "comment": "buildkit.dockerfile.v0" },
        { "created": "2026-02-01T00:00:00Z", "created_by": "ENV PORT=8080", "empty_layer": true },
        { "created": "2026-02-01T00:00:01Z", "created_by": "COPY . / # buildkit", "comment": "buildkit.dockerfile.v0" },
        { "created": "2026-02-01T00:00:01Z", "created_by": "CMD [\"python3\" \"/srv/main.py\"]", "empty_layer": true },
    ]);
    let mut layers = alpine.layers;
    layers.extend([packages, app]);
    Sample {
        name: "web:latest",
        created: "2026-02-01T00:00:01Z",
        layers,
        history,
        config: json!({
            "Cmd": ["python3", "/srv/main.py"], "Env": ["PATH=/bin:/usr/bin", "PORT=8080"],
            "ExposedPorts": { "8080/tcp": {} }, "Labels": { "org.title": "Demo", "version": "1.0" },
            "User": "app", "WorkingDir": "/srv", "StopSignal": "SIGINT",
        }),
    }
}

/// Another layer on the same as the lower two of [`web`].
pub fn tools() -> Sample<'static> {
    let mut layers = web().layers;
    layers.truncate(2);
    layers.push(vec![Entry::Dir("opt"), Entry::File("opt/tool", 40_000)]);
    let web = web();
    Sample {
        name: "tools:latest",
        created: "2026-03-01T00:00:00Z",
        layers,
        history: json!([web.history[0], web.history[1], web.history[2], { "created_by": "COPY tool /opt" }]),
        config: json!({ "Labels": { "version": "2.0" } }),
    }
}
