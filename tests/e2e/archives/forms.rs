//! Archives of all kinds that are around.

use std::process::{Command, Stdio};

use serde_json::json;

use super::make::{self, Archive, INDEX, MANIFEST, config, descriptor, docker, index, layer, layout, manifest, named};
use super::{id, load, load_piped, stored};
use crate::Test;
use crate::support::Tinbox;
use crate::support::need::Need::Program;

pub const TESTS: &[Test] = &[
    ("dockers_old_form_is_read", &[], dockers_old_form_is_read),
    ("a_hard_link_is_a_layer_too", &[], a_hard_link_is_a_layer_too),
    ("compressed_as_a_whole_or_from_a_pipe", &[], compressed_as_a_whole_or_from_a_pipe),
    ("compressed_as_a_whole_with_zstd", &[Program("zstd")], compressed_as_a_whole_with_zstd),
    ("a_manifest_stays_as_it_was_made", &[], a_manifest_stays_as_it_was_made),
    ("layers_that_are_not_compressed_are_the_same_image", &[], layers_that_are_not_compressed_are_the_same_image),
    ("several_images_share_what_they_have_in_common", &[], several_images_share_what_they_have_in_common),
    ("an_index_is_searched_for_this_machine", &[], an_index_is_searched_for_this_machine),
    ("a_name_is_taken_from_another_image", &[], a_name_is_taken_from_another_image),
    ("base_is_not_replaced", &[], base_is_not_replaced),
    ("an_image_may_have_two_names_or_none", &[], an_image_may_have_two_names_or_none),
];

fn dockers_old_form_is_read() {
    let tinbox = Tinbox::without_images();
    let (one, two) = (layer("one", "1"), layer("two", "2"));
    let archive = docker(&["me/app:1", "localhost:5000/app:2"], &[&one, &two, &one]).bytes();
    assert_eq!(load(&tinbox, &archive).ok(), "Loaded image: me/app:1\nLoaded image: localhost:5000/app:2\n");
    assert_eq!(id(&tinbox, "me/app:1"), id(&tinbox, "localhost:5000/app:2"));
    assert_eq!(stored(&tinbox, "layers").len(), 3, "each has a place of its own in the stack");
    assert!(stored(&tinbox, "tmp").is_empty());
}

fn a_hard_link_is_a_layer_too() {
    let tinbox = Tinbox::without_images();
    let one = layer("one", "1");
    let config = config(&[&one, &one]);
    let list = json!([{ "Config": "c", "RepoTags": ["app:1"], "Layers": ["a.tar", "b.tar"] }]);
    let archive = Archive::default().file("c", config).file("a.tar", one).hard_link("b.tar", "a.tar");
    assert_eq!(load(&tinbox, &archive.json("manifest.json", &list).bytes()).ok(), "Loaded image: app:1\n");
}

fn compressed_as_a_whole_or_from_a_pipe() {
    let (one, two) = (layer("one", "1"), layer("two", "2"));
    for archive in [docker(&["app:1"], &[&one, &two]).bytes(), layout("app:1", &[&one, &two]).bytes()] {
        let tinbox = Tinbox::without_images();
        load(&tinbox, &archive).ok();
        let expected = id(&tinbox, "app:1");
        for load in [load, load_piped] {
            for archive in [&archive, &make::gzip(&archive)] {
                let tinbox = Tinbox::without_images();
                assert_eq!(load(&tinbox, archive).ok(), "Loaded image: app:1\n");
                assert_eq!(id(&tinbox, "app:1"), expected);
                assert!(stored(&tinbox, "tmp").is_empty());
            }
        }
    }
}

fn compressed_as_a_whole_with_zstd() {
    let tinbox = Tinbox::without_images();
    let file = tinbox.path("plain.tar");
    std::fs::write(&file, layout("app:1", &[&layer("one", "1")]).bytes()).unwrap();
    let packed = Command::new("zstd").arg("-c").arg(&file).stdin(Stdio::null()).output().unwrap();
    assert_eq!(load_piped(&tinbox, &packed.stdout).ok(), "Loaded image: app:1\n");
}

fn a_manifest_stays_as_it_was_made() {
    let tinbox = Tinbox::without_images();
    let one = layer("one", "1");
    let (config, packed) = (config(&[&one]), make::gzip(&one));
    // Nobody here would have written it with these blanks.
    let manifest = [manifest(&config, &[&packed]), b"  \n".to_vec()].concat();
    let archive = Archive::default().json("index.json", &index(&[named(descriptor(MANIFEST, &manifest), "app:1")]));
    load(&tinbox, &archive.blob(manifest.clone()).blob(config).blob(packed.clone()).bytes()).ok();
    for bytes in [manifest, packed] {
        let blob = tinbox.path("images/blobs/sha256").join(images::Digest::of(&bytes).hex());
        assert_eq!(std::fs::read(blob).unwrap(), bytes);
    }
}

fn layers_that_are_not_compressed_are_the_same_image() {
    let one = layer("one", "1");
    let config = config(&[&one]);
    let manifest = manifest(&config, &[&one]);
    let archive = Archive::default().json("index.json", &index(&[named(descriptor(MANIFEST, &manifest), "app:1")]));
    let archive = archive.blob(manifest).blob(config).blob(one.clone()).bytes();
    let tinbox = Tinbox::without_images();
    load(&tinbox, &archive).ok();
    let first = (id(&tinbox, "app:1"), stored(&tinbox, "layers"));
    load(&tinbox, &layout("app:1", &[&one]).bytes()).ok();
    assert_eq!((id(&tinbox, "app:1"), stored(&tinbox, "layers")), first);
}

fn several_images_share_what_they_have_in_common() {
    let tinbox = Tinbox::without_images();
    let (base, one, two) = (layer("base", "0"), layer("one", "1"), layer("two", "2"));
    let mut archive = Archive::default();
    let mut list = Vec::new();
    for (name, top) in [("a:1", &one), ("b:1", &two)] {
        archive = archive.file(format!("{name}.json"), config(&[&base, top]));
        archive = archive.file(format!("{name}.tar"), top.clone());
        list.push(json!({
            "Config": format!("{name}.json"), "RepoTags": [name], "Layers": ["base.tar", format!("{name}.tar")],
        }));
    }
    let archive = archive.file("base.tar", base).json("manifest.json", &list.into()).bytes();
    assert_eq!(load(&tinbox, &archive).ok(), "Loaded image: a:1\nLoaded image: b:1\n");
    let there = (stored(&tinbox, "layers"), stored(&tinbox, "blobs/sha256"));
    assert_eq!((there.0.len(), there.1.len()), (3, 7), "three layers, two configs, two manifests");
    assert_eq!(load(&tinbox, &archive).ok(), "Loaded image: a:1\nLoaded image: b:1\n");
    assert_eq!((stored(&tinbox, "layers"), stored(&tinbox, "blobs/sha256")), there);
}

fn an_index_is_searched_for_this_machine() {
    let one = layer("one", "1");
    let (config, packed) = (config(&[&one]), make::gzip(&one));
    let manifest = manifest(&config, &[&packed]);
    let mut here = descriptor(MANIFEST, &manifest);
    here["platform"] = serde_json::to_value(images::oci::Platform::here()).unwrap();
    let mut elsewhere = descriptor(MANIFEST, b"not in the archive");
    elsewhere["platform"] = json!({ "architecture": "s390x", "os": "linux" });
    let archive = |entries: &[serde_json::Value]| {
        let inner = index(entries).to_string();
        let outer = index(&[named(descriptor(INDEX, inner.as_bytes()), "app:1")]);
        let archive = Archive::default().json("index.json", &outer).blob(inner).blob(manifest.clone());
        archive.blob(config.clone()).blob(packed.clone()).bytes()
    };
    let tinbox = Tinbox::without_images();
    assert_eq!(load(&tinbox, &archive(&[elsewhere.clone(), here])).ok(), "Loaded image: app:1\n");
    assert_eq!(id(&tinbox, "app:1"), images::Digest::of(&config).to_string());
    let error = load(&tinbox, &archive(&[elsewhere.clone(), elsewhere])).fails(1);
    assert!(error.contains("there is no image for linux/"), "{error}");
}

fn a_name_is_taken_from_another_image() {
    let tinbox = Tinbox::without_images();
    load(&tinbox, &layout("app:1", &[&layer("one", "1")]).bytes()).ok();
    let old = id(&tinbox, "app:1");
    let said = load(&tinbox, &layout("app:1", &[&layer("two", "2")]).bytes()).ok();
    let renamed = format!("The image app:1 already exists, renaming the old one with ID {old} to empty string");
    assert_eq!(said, format!("{renamed}\nLoaded image: app:1\n"));
    assert_eq!(id(&tinbox, "<none>:<none>"), old);
    assert_ne!(id(&tinbox, "app:1"), old);
}

fn base_is_not_replaced() {
    let tinbox = Tinbox::without_images();
    let archive = docker(&["tinbox/base:latest"], &[&layer("one", "1")]).bytes();
    load(&tinbox, &archive).ok();
    let before = id(&tinbox, "tinbox/base:latest");
    // The same is welcome; another is not.
    load(&tinbox, &archive).ok();
    for archive in [docker(&["tinbox/base:latest"], &[&layer("two", "2")]), layout("base", &[&layer("two", "2")])] {
        let loaded = load(&tinbox, &archive.bytes());
        assert!(loaded.stderr.contains("tinbox/base:latest stays the embedded image"), "{}", loaded.stderr);
        assert!(loaded.status == 0 && loaded.stdout.starts_with("Loaded image ID: sha256:"), "{}", loaded.stdout);
        assert_eq!(id(&tinbox, "tinbox/base:latest"), before);
    }
}

fn an_image_may_have_two_names_or_none() {
    let tinbox = Tinbox::without_images();
    let one = layer("one", "1");
    load(&tinbox, &layout("app:1", &[&one]).bytes()).ok();
    tinbox.tinbox("tag app:1 other:2").ok();
    let (file, id) = (tinbox.path("saved.tar"), id(&tinbox, "app:1"));
    let saved = |images: &str| tinbox.tinbox(&format!("save -o {} {images}", file.display())).ok();
    saved("app:1 other:2 app:1");
    let both = std::fs::read(&file).unwrap();
    saved(&id);
    let nameless = std::fs::read(&file).unwrap();

    let other = Tinbox::without_images();
    assert_eq!(load(&other, &nameless).ok(), format!("Loaded image ID: {id}\n"));
    assert_eq!(super::id(&other, "<none>:<none>"), id);
    assert_eq!(load(&other, &both).ok(), "Loaded image: app:1\nLoaded image: other:2\n");
    assert_eq!(super::id(&other, "other:2"), id);
}
