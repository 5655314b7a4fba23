//! Which images are shared, by which names, and who may move a tag.

use images::Digest;
use serde_json::json;

use super::client::Request;
use super::writing::Image;
use super::{Classroom, import};
use crate::Test;
use crate::support::Tinbox;

pub const TESTS: &[Test] = &[
    ("nobody_hides_an_image_of_the_owner", &[], nobody_hides_an_image_of_the_owner),
    ("what_was_pushed_can_be_moved", &[], what_was_pushed_can_be_moved),
    ("only_chosen_images_are_shared", &[], only_chosen_images_are_shared),
    ("what_is_pushed_is_shared_beside_chosen_images", &[], what_is_pushed_is_shared_beside_chosen_images),
    ("a_push_that_fails_shares_nothing", &[], a_push_that_fails_shares_nothing),
    ("what_cannot_be_chosen_is_said", &[], what_cannot_be_chosen_is_said),
];

fn nobody_hides_an_image_of_the_owner() {
    let room = Classroom::new(&["--writable"]);
    room.tinbox.tinbox("tag app:1 learn/app:1").ok();
    room.tinbox.tinbox("tag app:1 ghcr.io/far/app:1").ok();
    let before = room.get("/v2/app/manifests/1").body;
    // Podman's and buildah's name of what was built here, and one of a registry on another port.
    room.tinbox.tinbox("tag app:1 localhost/built/app:1").ok();
    room.tinbox.tinbox("tag app:1 localhost:1/other/app:1").ok();
    for name in ["app", "library/app", "learn/app", "far/app", "built/app", "other/app"] {
        let message = Image::other().push(&room, name, "1").refuses(403, "DENIED");
        assert!(message.contains("choose another name"), "{message}");
        assert_eq!(room.get(&format!("/v2/{name}/manifests/1")).is(200).body, before);
    }
    // Another tag is nobody's, nor is another path.
    Image::other().push(&room, "app", "2").is(201);
    Image::other().push(&room, "alice/app", "1").is(201);
}

fn what_was_pushed_can_be_moved() {
    let room = Classroom::new(&["--writable"]);
    for image in [Image::new(), Image::other(), Image::new()] {
        image.push(&room, "alice/app", "1").is(201);
        assert_eq!(room.get("/v2/alice/app/manifests/1").body, image.manifest);
    }
}

/// With the image `app:1`, and one with the name `secret:1`, of another layer.
fn with_secret() -> Tinbox {
    let tinbox = Tinbox::without_images();
    import(&tinbox, "app:1", &super::hello());
    import(&tinbox, "secret:1", &[super::hello(), vec![0; 512]].concat());
    tinbox.tinbox("tag secret:1 app:secret").ok();
    tinbox
}

fn only_chosen_images_are_shared() {
    let tinbox = with_secret();
    let room = Classroom::of(tinbox, &[]);
    let secret = room.get("/v2/secret/manifests/1").is(200);
    let layer = secret.json()["layers"][0]["digest"].as_str().unwrap().to_owned();
    let manifest = Digest::of(&secret.body);

    let mut room = Classroom::of(with_secret(), &["app:1"]);
    room.get("/v2/app/manifests/1").is(200);
    assert_eq!(room.get("/v2/_catalog").json()["repositories"], json!(["app"]));
    assert_eq!(room.get("/v2/app/tags/list").json()["tags"], json!(["1"]));
    room.get("/v2/secret/manifests/1").refuses(404, "NAME_UNKNOWN");
    room.get("/v2/app/manifests/secret").refuses(404, "MANIFEST_UNKNOWN");
    room.get(&format!("/v2/app/manifests/{manifest}")).refuses(404, "MANIFEST_UNKNOWN");
    room.get(&format!("/v2/app/blobs/{layer}")).refuses(404, "BLOB_UNKNOWN");
    let said = room.end();
    assert!(said.contains("Sharing 1 image") && !said.contains("secret"), "{said}");

    // What is part of both is not given away by either name either.
    let room = Classroom::of(with_secret(), &["--writable", "app:1"]);
    let mount = format!("/v2/mine/blobs/uploads/?mount={layer}&from=app");
    assert!(room.send(Request::new("POST", &mount)).is(202).header("location").contains("/uploads/"));
}

fn what_is_pushed_is_shared_beside_chosen_images() {
    let tinbox = with_secret();
    let room = Classroom::of(tinbox, &["--writable", "app:1"]);
    let mine = format!("tag secret:1 localhost:{}/mine:1", room.port());
    room.tinbox.tinbox(&mine).ok();
    Image::other().push(&room, "alice/app", "1").is(201);
    room.get("/v2/alice/app/manifests/1").is(200);
    assert_eq!(room.get("/v2/_catalog").json()["repositories"], json!(["alice/app", "app"]));
    // The owner's own, which is not shared, stays what it is.
    Image::other().push(&room, "mine", "1").refuses(403, "DENIED");
}

/// Not even an image of the owner's that has the name already, and is the one that was to come.
fn a_push_that_fails_shares_nothing() {
    let room = Classroom::of(with_secret(), &["--writable", "app:1"]);
    room.tinbox.tinbox(&format!("tag secret:1 localhost:{}/mine:1", room.port())).ok();
    let id = room.tinbox.tinbox("images --no-trunc -q secret:1").ok();
    let config = id.trim().replace(':', "/");
    let config = std::fs::read(room.tinbox.path("images/blobs").join(config)).unwrap();
    Image::of(config, Image::new().layer).push(&room, "mine", "1").refuses(400, "MANIFEST_INVALID");
    room.get("/v2/mine/manifests/1").refuses(404, "NAME_UNKNOWN");
    assert_eq!(room.get("/v2/_catalog").json()["repositories"], json!(["app"]));
}

fn what_cannot_be_chosen_is_said() {
    let tinbox = with_secret();
    let error = tinbox.tinbox("registry serve --listen 127.0.0.1:0 nothing").fails(1);
    assert!(error.contains("No such image: nothing\n  help: `tinbox images`"), "{error}");
}
