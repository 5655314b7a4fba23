//! What a server says that is not so: it is refused, and nothing of it is left.

use std::sync::Arc;

use images::Digest;
use serde_json::json;

use super::content::{Content, INDEX, MANIFEST, descriptor, file, gzip};
use super::http::{Answer, Request, Server};
use super::{User, pull_fails};
use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_layer_with_another_digest_is_refused", &[], a_layer_with_another_digest_is_refused),
    ("a_layer_with_another_size_is_refused", &[], a_layer_with_another_size_is_refused),
    ("a_layer_with_other_contents_is_refused", &[], a_layer_with_other_contents_is_refused),
    ("one_bad_layer_of_several_leaves_nothing", &[], one_bad_layer_of_several_leaves_nothing),
    ("a_config_with_another_digest_is_refused", &[], a_config_with_another_digest_is_refused),
    ("a_config_with_another_size_is_refused_though_it_is_there", &[], a_config_with_another_size_is_refused),
    ("a_config_that_does_not_fit_is_refused", &[], a_config_that_does_not_fit_is_refused),
    ("a_manifest_with_another_digest_is_refused", &[], a_manifest_with_another_digest_is_refused),
    ("a_manifest_that_is_two_things_is_refused", &[], a_manifest_that_is_two_things_is_refused),
    ("a_manifest_without_an_end_is_refused", &[], a_manifest_without_an_end_is_refused),
    ("what_is_no_image_is_refused", &[], what_is_no_image_is_refused),
    ("control_characters_are_not_printed", &[], control_characters_are_not_printed),
];

/// Pulls from a server that says what `change` makes of the answers that `content` has, and answers with the error.
#[track_caller]
fn refused(content: Content, change: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static) -> String {
    let server = Server::start(move |request| change(request, content.answer(request)));
    let user = User::new();
    let error = pull_fails(&user, &format!("{}/app:1", server.address));
    user.has_no_image();
    error
}

fn one_layer() -> Content {
    Content::of(&[file("a", b"1")])
}

fn a_layer_with_another_digest_is_refused() {
    let content = one_layer();
    let layer = content.layer(0).to_string();
    let mut other = content.blobs[&content.layer(0)].clone();
    // The last bytes of gzip are the length: a change of the checksum before it would be noticed by gzip itself. The
    // time in its head is nothing that it looks at.
    other[4] ^= 1;
    let error = refused(content, move |request, answer| match request.path.ends_with(&layer) {
        true => Answer::ok(other.clone()),
        false => answer,
    });
    assert!(error.contains("its digest is sha256:"), "{error}");
}

fn a_layer_with_another_size_is_refused() {
    for difference in [-1_i64, 1] {
        let mut content = one_layer();
        let size = content.layers[0]["size"].as_i64().unwrap();
        content.layers[0]["size"] = json!(size + difference);
        content.seal();
        let error = refused(content, |_, answer| answer);
        assert!(error.contains(&format!("it should have {} bytes", size + difference)), "{error}");
    }
}

fn a_layer_with_other_contents_is_refused() {
    let mut content = one_layer();
    content.config["rootfs"]["diff_ids"] = json!([Digest::of(b"something else")]);
    content.seal();
    let error = refused(content, |_, answer| answer);
    assert!(error.contains("its diff id is"), "{error}");
}

fn one_bad_layer_of_several_leaves_nothing() {
    for bad in 0..4 {
        let content = Content::of(&[file("a", b"1"), file("b", b"2"), file("c", b"3"), file("d", b"4")]);
        let layer = content.layer(bad).to_string();
        let server = Server::start(move |request| match request.path.ends_with(&layer) {
            true => Answer::ok(gzip(b"no archive")),
            false => content.answer(request),
        });
        let user = User::new();
        let error = pull_fails(&user, &format!("{}/app:1", server.address));
        assert!(error.contains("it should have"), "{error}");
        assert_eq!(user.run("images -q").ok(), "");
        assert_eq!(user.stored("tmp"), [""; 0].map(std::path::PathBuf::from));
    }
}

fn a_config_with_another_digest_is_refused() {
    let content = one_layer();
    let config = Digest::of(&serde_json::to_vec(&content.config).unwrap()).to_string();
    let error = refused(content, move |request, mut answer| {
        if request.path.ends_with(&config) {
            let last = answer.body.len() - 1;
            answer.body[last] = b' ';
        }
        answer
    });
    assert!(error.contains("the config is not what it should be: its digest is"), "{error}");
}

/// Also if the config itself is in the store, from an honest pull.
fn a_config_with_another_size_is_refused() {
    let honest = one_layer();
    let mut manifest: serde_json::Value = serde_json::from_slice(&honest.manifest.0).unwrap();
    manifest["config"]["size"] = json!(manifest["config"]["size"].as_u64().unwrap() + 1);
    let lying = Content { manifest: (manifest.to_string().into_bytes(), MANIFEST), ..honest.clone() };
    let (honest, lying) = [honest, lying].map(|content| Server::start(move |request| content.answer(request))).into();
    let user = User::new();
    user.run(&format!("pull -q {}/app:1", honest.address)).ok();
    let error = pull_fails(&user, &format!("{}/app:1", lying.address));
    assert!(error.contains("the config is not what it should be: it has"), "{error}");
}

fn a_config_that_does_not_fit_is_refused() {
    let mut content = one_layer();
    content.config["rootfs"]["diff_ids"] = json!([]);
    content.seal();
    let error = refused(content, |_, answer| answer);
    assert!(error.contains("the manifest has 1 layers, the config 0"), "{error}");
}

fn a_manifest_with_another_digest_is_refused() {
    let content = one_layer();
    let other = Digest::of(b"other");
    let error = refused(content.clone(), move |_, answer| answer.header("docker-content-digest", other.to_string()));
    assert!(error.contains(&format!("not {other}")), "{error}");
    let server = Server::start(move |request| match request.path.contains("/manifests/") {
        true => Answer::ok(content.manifest.0.clone()).header("content-type", MANIFEST),
        false => content.answer(request),
    });
    let user = User::new();
    let error = pull_fails(&user, &format!("{}/app@{other}", server.address));
    assert!(error.contains("the manifest is not what it should be"), "{error}");
    user.has_no_image();
}

fn a_manifest_that_is_two_things_is_refused() {
    let content = one_layer();
    let members = |more: serde_json::Value| {
        let mut manifest: serde_json::Value = serde_json::from_slice(&content.manifest.0).unwrap();
        manifest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        manifest.to_string().into_bytes()
    };
    let entry = descriptor(MANIFEST, &content.manifest.0);
    for (bytes, said, words) in [
        (members(json!({ "manifests": [entry] })), MANIFEST, "a manifest and an index at once"),
        (members(json!({ "mediaType": INDEX })), MANIFEST, "says that it is"),
        (members(json!({})), INDEX, "it comes as application/vnd.oci.image.index"),
        (members(json!({ "schemaVersion": 1 })), MANIFEST, "version 2, schema 1"),
        (b"{".to_vec(), MANIFEST, "the manifest cannot be read"),
        (b"[]".to_vec(), MANIFEST, "the manifest cannot be read"),
    ] {
        let content = Content { manifest: (bytes, said), ..content.clone() };
        let error = refused(content, |_, answer| answer);
        assert!(error.contains(words), "{words}: {error}");
    }
}

fn a_manifest_without_an_end_is_refused() {
    let error = refused(one_layer(), |request, answer| match request.path.contains("/manifests/") {
        true => answer.header("content-length", "1000000000000"),
        false => answer,
    });
    assert!(error.contains("more than the 4194304 bytes that it may be"), "{error}");
    // Without a length, it is read up to the limit.
    let endless = Arc::new(vec![b' '; (4 << 20) + 1]);
    let error = refused(one_layer(), move |request, answer| match request.path.contains("/manifests/") {
        true => Answer::ok(endless.to_vec()).header("content-type", MANIFEST).header("transfer-encoding", "identity"),
        false => answer,
    });
    assert!(error.contains("more than the 4194304 bytes that it may be"), "{error}");
}

fn what_is_no_image_is_refused() {
    let content = one_layer();
    let changed = |path: &[&str], value: &str| {
        let mut manifest: serde_json::Value = serde_json::from_slice(&content.manifest.0).unwrap();
        let place = path.iter().fold(&mut manifest, |place, key| match key.parse::<usize>() {
            Ok(at) => &mut place[at],
            Err(_) => &mut place[*key],
        });
        *place = json!(value);
        Content { manifest: (manifest.to_string().into_bytes(), MANIFEST), ..content.clone() }
    };
    let error = refused(changed(&["config", "mediaType"], "application/vnd.cncf.helm.config.v1+json"), |_, a| a);
    assert!(error.contains("no image of a root file system"), "{error}");
    let encrypted = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted";
    let error = refused(changed(&["layers", "0", "mediaType"], encrypted), |_, answer| answer);
    assert!(error.contains("no layer that Tinbox can unpack"), "{error}");
    let mut windows = one_layer();
    windows.config["os"] = json!("windows");
    windows.seal();
    let error = refused(windows, |_, answer| answer);
    assert!(error.contains("image operating system \"windows\" cannot be used on this platform"), "{error}");
}

fn control_characters_are_not_printed() {
    let evil = "\u{1b}[2J\u{7}";
    let error = refused(one_layer(), move |request, answer| match request.path.contains("/manifests/") {
        true => {
            let body = json!({ "errors": [{ "code": format!("X{evil}"), "message": evil }] });
            Answer { status: 400, ..Answer::ok(body.to_string()) }
        }
        false => answer,
    });
    assert!(!error.trim_end().contains(char::is_control), "{error:?}");
    let mut content = one_layer();
    content.layers[0]["mediaType"] = json!(evil);
    content.seal();
    let error = refused(content, |_, answer| answer);
    assert!(!error.trim_end().contains(char::is_control), "{error:?}");
}
