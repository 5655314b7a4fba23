//! The API, for those who push, and what is refused.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::GzEncoder;
use images::Digest;
use serde_json::{Value, json};

use super::Classroom;
use super::client::{Answer, Request};
use crate::Test;
use crate::support::Tinbox;

pub const TESTS: &[Test] = &[
    ("an_image_comes_in_pieces", &[], an_image_comes_in_pieces),
    ("a_blob_comes_at_once", &[], a_blob_comes_at_once),
    ("pieces_that_do_not_fit_are_refused", &[], pieces_that_do_not_fit_are_refused),
    ("whoever_sends_much_hears_the_refusal", &[], whoever_sends_much_hears_the_refusal),
    ("whoever_was_cut_off_can_go_on", &[], whoever_was_cut_off_can_go_on),
    ("a_blob_of_another_repository_is_mounted", &[], a_blob_of_another_repository_is_mounted),
    (
        "what_is_not_shared_is_not_given_to_those_who_know_its_digest",
        &[],
        what_is_not_shared_is_not_given_to_those_who_know_its_digest,
    ),
    ("nobody_pushes_another_base", &[], nobody_pushes_another_base),
    ("an_image_that_does_not_fit_is_refused", &[], an_image_that_does_not_fit_is_refused),
    ("of_an_index_that_is_refused_nothing_is_left", &[], of_an_index_that_is_refused_nothing_is_left),
    ("names_are_checked", &[], names_are_checked),
];

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image: its config, its only layer, and its manifest.
pub struct Image {
    pub config: Vec<u8>,
    pub layer: Vec<u8>,
    pub manifest: Vec<u8>,
}

impl Image {
    pub fn new() -> Image {
        let layer = super::hello();
        let packed = gzip(&layer);
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer)] },
        });
        Image::of(config.to_string().into_bytes(), packed)
    }

    /// One that differs from [`Image::new`].
    pub fn other() -> Image {
        let config = String::from_utf8(Image::new().config).unwrap().replace("amd64", "arm64");
        Image::of(config.into_bytes(), Image::new().layer)
    }

    /// Pushes it.
    pub fn push(&self, room: &Classroom, name: &str, tag: &str) -> Answer {
        for blob in [&self.layer, &self.config] {
            let path = format!("/v2/{name}/blobs/uploads/?digest={}", Digest::of(blob));
            room.send(Request::new("POST", &path).body(blob)).is(201);
        }
        let path = format!("/v2/{name}/manifests/{tag}");
        room.send(Request::new("PUT", &path).header("content-type", MANIFEST).body(&self.manifest))
    }

    pub fn of(config: Vec<u8>, layer: Vec<u8>) -> Image {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer)],
        });
        Image { config, layer, manifest: manifest.to_string().into_bytes() }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() })
}

/// A registry without images, that can be written to.
fn room() -> Classroom {
    Classroom::of(Tinbox::without_images(), &["--writable"])
}

/// Begins an upload to the repository `in/app`.
fn begin(room: &Classroom) -> String {
    room.send(Request::new("POST", "/v2/in/app/blobs/uploads/")).is(202).header("location").to_owned()
}

fn upload(room: &Classroom, blob: &[u8]) -> Answer {
    let path = format!("/v2/in/app/blobs/uploads/?digest={}", Digest::of(blob));
    room.send(Request::new("POST", &path).body(blob))
}

fn put(room: &Classroom, tag: &str, manifest: &[u8]) -> Answer {
    let path = format!("/v2/in/app/manifests/{tag}");
    room.send(Request::new("PUT", &path).header("content-type", MANIFEST).body(manifest))
}

/// Asserts that no image is there, and no part of one.
#[track_caller]
fn is_empty(room: &Classroom) {
    room.get("/v2/in/app/tags/list").refuses(404, "NAME_UNKNOWN");
    assert_eq!((room.stored("layers").len(), room.stored("blobs/sha256").len()), (0, 0));
}

fn an_image_comes_in_pieces() {
    let room = room();
    let image = Image::new();
    for blob in [&image.layer, &image.config] {
        let location = begin(&room);
        let (first, second) = blob.split_at(blob.len() / 3);
        let (second, third) = second.split_at(second.len() / 2);
        let end = first.len() - 1;
        let range = format!("0-{end}");
        let answer = room.send(Request::new("PATCH", &location).header("content-range", &range).body(first)).is(202);
        assert_eq!(answer.header("range"), range);
        // Without a range it is the next piece.
        room.send(Request::new("PATCH", &location).body(second)).is(202);
        let status = room.get(&location).is(204);
        assert_eq!(status.header("range"), format!("0-{}", first.len() + second.len() - 1));
        let path = format!("{location}?digest={}", Digest::of(blob).to_string().replace(':', "%3A"));
        let answer = room.send(Request::new("PUT", &path).body(third)).is(201);
        assert_eq!(answer.header("docker-content-digest"), Digest::of(blob).to_string());
        room.send(Request::new("HEAD", answer.header("location"))).is(200);
        room.get(&location).refuses(404, "BLOB_UPLOAD_UNKNOWN");
    }
    room.get("/v2/in/app/tags/list").refuses(404, "NAME_UNKNOWN");
    let answer = put(&room, "1", &image.manifest).is(201);
    let digest = Digest::of(&image.manifest).to_string();
    assert_eq!(answer.header("docker-content-digest"), digest);
    assert_eq!(room.get("/v2/in/app/tags/list").json()["tags"], json!(["1"]));
    let id = room.tinbox.tinbox(&format!("images --no-trunc -q localhost:{}/in/app:1", room.port())).ok();
    assert_eq!(id.trim(), Digest::of(&image.config).to_string());
    // By its digest it can be pushed, too, and again.
    put(&room, &digest, &image.manifest).is(201);
    put(&room, "2", &image.manifest).is(201);
    assert_eq!(room.stored("layers").len(), 1);
}

fn a_blob_comes_at_once() {
    let room = room();
    let image = Image::new();
    let location = upload(&room, &image.layer).is(201).header("location").to_owned();
    assert_eq!(room.get(&location).is(200).body, image.layer);
    let location = begin(&room);
    let path = format!("{location}?digest={}", Digest::of(&image.config));
    room.send(Request::new("PUT", &path).body(&image.config)).is(201);
    put(&room, "1", &image.manifest).is(201);
}

fn pieces_that_do_not_fit_are_refused() {
    let room = room();
    let location = begin(&room);
    let patch = |range: &str, body: &[u8]| {
        room.send(Request::new("PATCH", &location).header("content-range", range).body(body))
    };
    patch("5-9", b"later").is(416);
    patch("0-4", b"first").is(202);
    assert_eq!(patch("0-4", b"again").is(416).header("range"), "0-4");
    room.send(Request::new("PUT", &location)).refuses(400, "DIGEST_INVALID");
    let wrong = format!("{location}?digest={}", Digest::of(b"other"));
    room.send(Request::new("PUT", &wrong)).refuses(400, "DIGEST_INVALID");
    room.get(&location).refuses(404, "BLOB_UPLOAD_UNKNOWN");
    let elsewhere = begin(&room).replace("in/app", "in/other");
    room.send(Request::new("PATCH", &elsewhere).body(b"x")).refuses(404, "BLOB_UPLOAD_UNKNOWN");
    let given_up = begin(&room);
    room.send(Request::new("DELETE", &given_up)).is(204);
    room.get(&given_up).refuses(404, "BLOB_UPLOAD_UNKNOWN");
    is_empty(&room);
}

/// More than fits into the buffers of a connection.
fn whoever_sends_much_hears_the_refusal() {
    let room = room();
    let blob = vec![0; 32 << 20];
    let send = |head: &str, body: &[u8]| {
        let mut stream = TcpStream::connect(&room.address).unwrap();
        let head = format!("{head} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", blob.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        answer
    };
    let all = [b"\r\n", &blob[..]].concat();
    assert_eq!(send("PATCH /v2/in/app/blobs/uploads/unknown", &all), "HTTP/1.1 404 Not Found\r\n");
    // Whoever asks first need not send anything.
    let asks = b"expect: 100-continue\r\n\r\n";
    assert_eq!(send("PATCH /v2/in/app/blobs/uploads/unknown", asks), "HTTP/1.1 404 Not Found\r\n");
}

fn whoever_was_cut_off_can_go_on() {
    let room = room();
    let location = begin(&room);
    let mut stream = TcpStream::connect(&room.address).unwrap();
    let head = format!("PATCH {location} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n0123456789");
    stream.write_all(head.as_bytes()).unwrap();
    drop(stream);
    // Until it has noticed, the upload is that connection's.
    let arrived = loop {
        let answer = room.get(&location);
        if answer.status == 204 {
            break answer;
        }
    };
    assert_eq!(arrived.header("range"), "0-9");
    let path = format!("{location}?digest={}", Digest::of(b"0123456789abc"));
    room.send(Request::new("PUT", &path).body(b"abc")).is(201);
}

fn a_blob_of_another_repository_is_mounted() {
    let room = Classroom::new(&["--writable"]);
    let manifest = room.get("/v2/app/manifests/1").body;
    let parsed: Value = serde_json::from_slice(&manifest).unwrap();
    for blob in [&parsed["config"], &parsed["layers"][0]] {
        let digest = blob["digest"].as_str().unwrap();
        let path = format!("/v2/in/app/blobs/uploads/?mount={digest}&from=app");
        let location = room.send(Request::new("POST", &path)).is(201).header("location").to_owned();
        assert_eq!(location, format!("/v2/in/app/blobs/{digest}"));
    }
    put(&room, "1", &manifest).is(201);
    let unknown = format!("/v2/in/app/blobs/uploads/?mount={}&from=app", Digest::of(b"unknown"));
    assert!(room.send(Request::new("POST", &unknown)).is(202).header("location").contains("/uploads/"));
}

fn what_is_not_shared_is_not_given_to_those_who_know_its_digest() {
    let room = Classroom::new(&["--writable"]);
    let manifest = room.get("/v2/app/manifests/1").body;
    // Without a name it is nobody else's.
    crate::import::import(&room.tinbox, "app:1", &[super::hello(), vec![0; 512]].concat());
    let message = put(&room, "1", &manifest).refuses(400, "MANIFEST_BLOB_UNKNOWN");
    assert!(message.contains("was not uploaded"), "{message}");
}

fn nobody_pushes_another_base() {
    let room = Classroom::new(&["--writable"]);
    room.tinbox.tinbox("tag app:1 base").ok();
    let same = room.get("/v2/app/manifests/1").body;
    let other = Image::of(Image::new().config, Image::new().layer);
    upload(&room, &other.layer).is(201);
    upload(&room, &other.config).is(201);
    for name in ["base", "tinbox/base"] {
        let put = |manifest: &[u8]| {
            let path = format!("/v2/{name}/manifests/latest");
            room.send(Request::new("PUT", &path).header("content-type", MANIFEST).body(manifest))
        };
        assert!(put(&other.manifest).refuses(403, "DENIED").contains("choose another name"), "{name}");
        put(&same).is(201);
    }
    put(&room, "latest", &other.manifest).is(201);
}

fn an_image_that_does_not_fit_is_refused() {
    let room = room();
    let image = Image::new();
    put(&room, "1", &image.manifest).refuses(400, "MANIFEST_BLOB_UNKNOWN");
    upload(&room, &image.config).is(201);
    put(&room, "1", &image.manifest).refuses(400, "MANIFEST_BLOB_UNKNOWN");

    let refused = |image: &Image, words: &str| {
        upload(&room, &image.config).is(201);
        upload(&room, &image.layer).is(201);
        let message = put(&room, "1", &image.manifest).refuses(400, "MANIFEST_INVALID");
        assert!(message.contains(words), "{words}: {message}");
        is_empty(&room);
    };
    let other = [super::hello(), vec![0; 512]].concat();
    refused(&Image::of(image.config.clone(), gzip(&other)), "its diff id is");
    refused(&Image::of(image.config.clone(), super::hello()), "a layer that is not compressed");
    refused(&Image::of(b"no config".to_vec(), image.layer.clone()), "its config cannot be read");
    refused(&Image::of(image.config.clone(), gzip(b"no archive")), "this is not a tar archive");
    refused(&Image::of(image.config.clone(), image.layer[..image.layer.len() - 4].to_vec()), "layer");
    let two = String::from_utf8(image.config.clone()).unwrap().replace("[\"sha", "[\"sha256:0\",\"sha");
    refused(&Image::of(two.into_bytes(), image.layer.clone()), "its config cannot be read");

    let wrong = Digest::of(b"other").to_string();
    put(&room, &wrong, &image.manifest).refuses(400, "DIGEST_INVALID");
    put(&room, "1", b"{}").refuses(400, "MANIFEST_INVALID");
    put(&room, "1", b"\x1b[31m").refuses(400, "MANIFEST_INVALID");
    let altered = |change: fn(&mut Value)| {
        let mut manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
        change(&mut manifest);
        put(&room, "1", manifest.to_string().as_bytes()).refuses(400, "MANIFEST_INVALID")
    };
    altered(|manifest| manifest["manifests"] = json!([]));
    altered(|manifest| manifest["config"]["mediaType"] = json!("text/html"));
    altered(|manifest| manifest["layers"] = json!(vec![manifest["layers"][0].clone(); 501]));
    put(&room, "1", &vec![b' '; (4 << 20) + 1]).refuses(413, "MANIFEST_INVALID");
    is_empty(&room);
    // And when all is well, all is well.
    upload(&room, &image.layer).is(201);
    upload(&room, &image.config).is(201);
    put(&room, "1", &image.manifest).is(201);
}

fn of_an_index_that_is_refused_nothing_is_left() {
    let room = room();
    let image = Image::new();
    upload(&room, &image.layer).is(201);
    upload(&room, &image.config).is(201);
    put(&room, &Digest::of(&image.manifest).to_string(), &image.manifest).is(201);
    assert_eq!(room.stored("layers").len(), 1);
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [descriptor(MANIFEST, &image.manifest)],
    });
    let index = index.to_string();
    let request = Request::new("PUT", "/v2/in/app/manifests/1");
    let request = request.header("content-type", "application/vnd.oci.image.index.v1+json").body(index.as_bytes());
    let message = room.send(request).refuses(400, "MANIFEST_INVALID");
    assert!(message.contains("push one platform"), "{message}");
    is_empty(&room);
}

fn names_are_checked() {
    let room = room();
    for name in ["App", "a_-b", "a%20b", "..", "a:b", "a%40b", "-a"] {
        let path = format!("/v2/{name}/blobs/uploads/");
        room.send(Request::new("POST", &path)).refuses(400, "NAME_INVALID");
    }
    let image = Image::new();
    for tag in [".a", "a%2fb", "a:b", &"a".repeat(129)] {
        let answer = put(&room, tag, &image.manifest);
        assert!(matches!(answer.status, 400 | 404 | 405), "{tag}: {answer:?}");
    }
    is_empty(&room);
}
