//! The API, for those who pull.

use images::Digest;
use serde_json::json;

use super::Classroom;
use super::client::Request;
use crate::Test;

pub const TESTS: &[Test] = &[
    ("an_image_is_given_away", &[], an_image_is_given_away),
    ("names_have_short_forms", &[], names_have_short_forms),
    ("lists_come_in_pages", &[], lists_come_in_pages),
    ("parts_of_blobs", &[], parts_of_blobs),
    ("what_is_known_is_not_sent_again", &[], what_is_known_is_not_sent_again),
    ("what_is_unknown_is_said_to_be", &[], what_is_unknown_is_said_to_be),
    ("nothing_outside_of_the_store_is_reached", &[], nothing_outside_of_the_store_is_reached),
    ("what_changes_is_seen_at_once", &[], what_changes_is_seen_at_once),
    ("what_is_damaged_is_not_given_away", &[], what_is_damaged_is_not_given_away),
    ("nothing_is_taken_in", &[], nothing_is_taken_in),
];

/// The digest of the only layer of `app:1`.
fn layer(room: &Classroom) -> String {
    room.get("/v2/app/manifests/1").json()["layers"][0]["digest"].as_str().unwrap().to_owned()
}

fn an_image_is_given_away() {
    let room = Classroom::new(&[]);
    assert_eq!(room.get("/v2/").is(200).header("docker-distribution-api-version"), "registry/2.0");
    let by_tag = room.get("/v2/app/manifests/1").is(200);
    let digest = Digest::of(&by_tag.body).to_string();
    assert_eq!(by_tag.header("docker-content-digest"), digest);
    assert_eq!(by_tag.header("content-type"), "application/vnd.oci.image.manifest.v1+json");
    let by_digest = room.get(&format!("/v2/app/manifests/{digest}")).is(200);
    assert_eq!(by_digest.body, by_tag.body);
    let manifest = by_tag.json();
    for blob in [&manifest["config"], &manifest["layers"][0]] {
        let answer = room.get(&format!("/v2/app/blobs/{}", blob["digest"].as_str().unwrap())).is(200);
        assert_eq!((answer.body.len() as u64).to_string(), blob["size"].to_string());
        assert_eq!(Digest::of(&answer.body).to_string(), blob["digest"]);
    }
    for path in ["/v2/app/manifests/1".to_owned(), format!("/v2/app/blobs/{}", layer(&room))] {
        let (head, get) = (room.send(Request::new("HEAD", &path)).is(200), room.get(&path));
        assert!(head.body.is_empty());
        for header in ["content-length", "content-type", "docker-content-digest", "etag"] {
            assert_eq!(head.header(header), get.header(header));
        }
    }
    let referrers = room.get(&format!("/v2/app/referrers/{digest}")).is(200);
    assert_eq!(referrers.header("content-type"), "application/vnd.oci.image.index.v1+json");
    assert_eq!(referrers.json()["manifests"], json!([]));
}

fn names_have_short_forms() {
    let room = Classroom::new(&[]);
    for name in ["localhost:9/own/thing:2", "tinbox/base", "ghcr.io/library/far"] {
        room.tinbox.tinbox(&format!("tag app:1 {name}")).ok();
    }
    let listed = room.get("/v2/_catalog").json();
    let expected = ["app", "base", "library/far", "own/thing"];
    assert_eq!(listed["repositories"], json!(expected));
    for long in ["library/app/manifests/1", "tinbox/base/manifests/latest"] {
        room.get(&format!("/v2/{long}")).is(200);
    }
    assert_eq!(room.get("/v2/own/thing/tags/list").json(), json!({ "name": "own/thing", "tags": ["2"] }));
}

fn lists_come_in_pages() {
    let room = Classroom::new(&[]);
    for tag in ["2", "3", "4", "5"] {
        room.tinbox.tinbox(&format!("tag app:1 app:{tag}")).ok();
    }
    let (mut path, mut pages) = ("/v2/app/tags/list?n=2".to_owned(), Vec::new());
    loop {
        let answer = room.get(&path).is(200);
        pages.push(answer.json()["tags"].clone());
        if !answer.has("link") {
            break;
        }
        let link = answer.header("link").strip_suffix(">; rel=\"next\"").and_then(|link| link.strip_prefix('<'));
        path = link.unwrap().to_owned();
    }
    assert_eq!(pages, [json!(["1", "2"]), json!(["3", "4"]), json!(["5"])]);
    assert_eq!(room.get("/v2/app/tags/list?n=0").json()["tags"], json!([]));
    assert_eq!(room.get("/v2/app/tags/list?last=4").json()["tags"], json!(["5"]));
    room.tinbox.tinbox("tag app:1 next").ok();
    assert_eq!(room.get("/v2/_catalog?n=1&last=app").json()["repositories"], json!(["next"]));
}

fn parts_of_blobs() {
    let room = Classroom::new(&[]);
    let path = format!("/v2/app/blobs/{}", layer(&room));
    let whole = room.get(&path).body;
    let size = whole.len();
    let part = |range: &str| room.send(Request::new("GET", &path).header("range", range));
    for (range, from, to) in [("bytes=3-6", 3, 7), ("bytes=10-", 10, size), ("bytes=-4", size - 4, size)] {
        let answer = part(range).is(206);
        assert_eq!(answer.header("content-range"), format!("bytes {from}-{}/{size}", to - 1));
        assert_eq!(answer.body, whole[from..to]);
    }
    let beyond = part(&format!("bytes={size}-")).is(416);
    assert_eq!(beyond.header("content-range"), format!("bytes */{size}"));
    assert_eq!(part("bytes=0-1,3-4").is(200).body, whole);
    let of_another = Request::new("GET", &path).header("range", "bytes=3-6").header("if-range", "\"other\"");
    assert_eq!(room.send(of_another).is(200).body, whole);
}

fn what_is_known_is_not_sent_again() {
    let room = Classroom::new(&[]);
    for path in ["/v2/app/manifests/1".to_owned(), format!("/v2/app/blobs/{}", layer(&room))] {
        let etag = room.get(&path).header("etag").to_owned();
        let known = |etag: &str| room.send(Request::new("GET", &path).header("if-none-match", etag));
        assert!(known(&etag).is(304).body.is_empty());
        assert!(known(&format!("\"x\", W/{etag}")).is(304).body.is_empty());
        assert!(!known("\"sha256:00\"").is(200).body.is_empty());
    }
}

fn what_is_unknown_is_said_to_be() {
    let room = Classroom::new(&[]);
    let nothing = Digest::of(b"nothing");
    for (path, status, code) in [
        ("/v2/other/tags/list".to_owned(), 404, "NAME_UNKNOWN"),
        ("/v2/other/manifests/1".to_owned(), 404, "NAME_UNKNOWN"),
        ("/v2/app/manifests/other".to_owned(), 404, "MANIFEST_UNKNOWN"),
        (format!("/v2/app/manifests/{nothing}"), 404, "MANIFEST_UNKNOWN"),
        (format!("/v2/app/blobs/{nothing}"), 404, "BLOB_UNKNOWN"),
        ("/v2/app/blobs/sha256:0".to_owned(), 400, "DIGEST_INVALID"),
        (
            format!("/v2/app/blobs/{}", room.get("/v2/app/manifests/1").header("docker-content-digest")),
            404,
            "BLOB_UNKNOWN",
        ),
        ("/".to_owned(), 404, "NAME_UNKNOWN"),
        ("/v1/search?q=app".to_owned(), 404, "NAME_UNKNOWN"),
    ] {
        room.get(&path).refuses(status, code);
    }
    let message = room.get("/v2/app/manifests/%1b%5b31m").refuses(404, "MANIFEST_UNKNOWN");
    assert!(!message.contains('\u{1b}'), "{message:?}");
    // Without a name, an image is nobody else's business.
    let layer = layer(&room);
    super::import(&room.tinbox, "app:1", &[super::hello(), vec![0; 512]].concat());
    room.get(&format!("/v2/app/blobs/{layer}")).refuses(404, "BLOB_UNKNOWN");
}

fn nothing_outside_of_the_store_is_reached() {
    let room = Classroom::new(&[]);
    std::fs::write(room.tinbox.path("images/blobs/secret"), "secret").unwrap();
    for path in [
        "/v2/app/blobs/../secret",
        "/v2/app/blobs/sha256:../secret",
        "/v2/app/blobs/sha256%3A..%2F..%2Fsecret",
        "/v2/../../../../etc/passwd",
        "/v2/app/manifests/../../blobs/secret",
        "/v2/%2e%2e/blobs/secret",
        "//etc/passwd",
        "/v2/app/manifests/..%2findex.json",
    ] {
        let answer = room.get(path);
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
    }
}

fn what_changes_is_seen_at_once() {
    let room = Classroom::new(&[]);
    room.get("/v2/app/manifests/2").refuses(404, "MANIFEST_UNKNOWN");
    room.tinbox.tinbox("tag app:1 app:2").ok();
    room.get("/v2/app/manifests/2").is(200);
    room.tinbox.tinbox("rmi app:2").ok();
    room.get("/v2/app/manifests/2").refuses(404, "MANIFEST_UNKNOWN");
}

fn what_is_damaged_is_not_given_away() {
    let room = Classroom::new(&[]);
    let digest = layer(&room);
    let file = room.tinbox.path("images/blobs/sha256").join(&digest["sha256:".len()..]);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    room.get(&format!("/v2/app/blobs/{digest}")).refuses(500, "UNKNOWN");
}

fn nothing_is_taken_in() {
    let room = Classroom::new(&[]);
    let manifest = room.get("/v2/app/manifests/1").body;
    for (method, path) in [
        ("POST", "/v2/app/blobs/uploads/"),
        ("PATCH", "/v2/app/blobs/uploads/1"),
        ("PUT", "/v2/app/manifests/2"),
        ("DELETE", "/v2/app/manifests/1"),
    ] {
        let message = room.send(Request::new(method, path).body(&manifest)).refuses(405, "UNSUPPORTED");
        assert!(message.contains("read-only") || message.contains("nothing is deleted"), "{message}");
    }
    assert_eq!(room.get("/v2/app/tags/list").json()["tags"], json!(["1"]));
}
