//! A damaged store: what can be said about it, removed and mended.

use std::fs;
use std::path::PathBuf;

use images::{Image, Name};

use super::{archive, contents, must, store};
use crate::Test;
use crate::support::Tinbox;
use crate::support::need::Need::Containers;

pub const TESTS: &[Test] = &[
    ("a_damaged_image_does_not_keep_the_others", &[], a_damaged_image_does_not_keep_the_others),
    ("a_damaged_image_is_removed_by_its_name", &[], a_damaged_image_is_removed_by_its_name),
    ("the_digest_of_a_damaged_image_goes_with_its_tag", &[], the_digest_of_a_damaged_image_goes_with_its_tag),
    ("pruning_removes_what_is_damaged", &[], pruning_removes_what_is_damaged),
    ("what_is_damaged_is_mended_by_loading_it", &[], what_is_damaged_is_mended_by_loading_it),
    ("a_missing_index_is_not_an_empty_store", &[], a_missing_index_is_not_an_empty_store),
    ("a_missing_layer_is_what_is_said", &[Containers], a_missing_layer_is_what_is_said),
    ("a_digest_is_no_name_to_give", &[], a_digest_is_no_name_to_give),
];

/// A Tinbox with the images `one` and `two`, and a directory with their archives.
fn with_two() -> (Tinbox, tempfile::TempDir) {
    let (tinbox, dir) = (Tinbox::without_images(), tempfile::tempdir().unwrap());
    for word in ["one", "two"] {
        must(&tinbox, &["import", archive(dir.path(), word).to_str().unwrap(), word], word);
    }
    (tinbox, dir)
}

fn image(tinbox: &Tinbox, name: &str) -> Image {
    store(tinbox).find(&Name::parse(name).unwrap()).unwrap().unwrap()
}

fn blob(tinbox: &Tinbox, digest: &images::Digest) -> PathBuf {
    tinbox.path("images/blobs/sha256").join(digest.hex())
}

fn a_damaged_image_does_not_keep_the_others() {
    let (tinbox, dir) = with_two();
    let one = image(&tinbox, "one");
    for damage in ["config", "manifest"] {
        let damaged = if damage == "config" { one.id } else { one.manifest.digest };
        fs::write(blob(&tinbox, &damaged), "{").unwrap();
        let listed = tinbox.tinbox("images");
        assert!(listed.stdout.contains("two") && listed.status == 0, "{}", listed.stdout);
        let warnings: Vec<&str> = listed.stderr.lines().collect();
        assert_eq!(warnings.len(), 1, "{}", listed.stderr);
        assert!(warnings[0].starts_with("tinbox: warning: image one:latest is damaged ("), "{}", listed.stderr);
        assert!(
            warnings[0].ends_with("remove it with `tinbox rmi one:latest`, and fetch it again"),
            "{}",
            listed.stderr
        );
        for arguments in ["inspect two", "tag two 2", "history two", "rmi 2", "image prune -f"] {
            let ended = tinbox.tinbox(arguments);
            assert_eq!(ended.status, 0, "{arguments}: {}", ended.stderr);
        }
        must(&tinbox, &["save", "-o", dir.path().join("two").to_str().unwrap(), "two"], "save");
        must(&tinbox, &["load", "-i", dir.path().join("two").to_str().unwrap()], "load");
        for arguments in ["save one", "run one true"] {
            let ended = tinbox.tinbox(arguments);
            assert!(ended.stderr.contains("remove it with `tinbox rmi one:latest`"), "{arguments}: {}", ended.stderr);
        }
    }
}

fn a_damaged_image_is_removed_by_its_name() {
    let (tinbox, _dir) = with_two();
    let one = image(&tinbox, "one");
    fs::write(blob(&tinbox, &one.manifest.digest), "").unwrap();
    // Nobody knows whether it needs what `two` had.
    let removed = tinbox.tinbox("rmi two");
    assert_eq!((removed.status, removed.stdout.as_str()), (0, "Untagged: two:latest\n"));
    assert!(removed.stderr.contains("warning: image one:latest is damaged"), "{}", removed.stderr);
    assert_eq!(contents(&tinbox).len(), 8);
    assert_eq!(tinbox.tinbox("rmi one").ok(), "Untagged: one:latest\n");
    assert!(contents(&tinbox).is_empty(), "{:?}", contents(&tinbox));
}

fn the_digest_of_a_damaged_image_goes_with_its_tag() {
    let (tinbox, _dir) = with_two();
    let one = image(&tinbox, "one");
    let digest = Name::parse("one").unwrap().with_digest(one.manifest.digest);
    store(&tinbox).tag(&one, &digest).unwrap();
    fs::write(blob(&tinbox, &one.manifest.digest), "").unwrap();
    assert_eq!(tinbox.tinbox("rmi one").ok(), format!("Untagged: one:latest\nUntagged: {digest}\n"));
    tinbox.tinbox("rmi two").ok();
    assert!(contents(&tinbox).is_empty(), "{:?}", contents(&tinbox));
}

fn pruning_removes_what_is_damaged() {
    let (tinbox, _dir) = with_two();
    fs::remove_file(blob(&tinbox, &image(&tinbox, "one").id)).unwrap();
    let pruned = tinbox.tinbox("image prune -f");
    assert_eq!((pruned.status, pruned.stdout.as_str()), (0, "Total reclaimed space: 0B\n"));
    assert!(pruned.stderr.contains("image one:latest is damaged"), "{}", pruned.stderr);
    let pruned = tinbox.tinbox("image prune -af").ok();
    assert!(pruned.contains("untagged: one:latest\n") && pruned.contains("untagged: two:latest\n"), "{pruned}");
    assert!(contents(&tinbox).is_empty(), "{:?}", contents(&tinbox));
}

fn what_is_damaged_is_mended_by_loading_it() {
    let (tinbox, dir) = with_two();
    let (one, saved) = (image(&tinbox, "one"), dir.path().join("saved"));
    let saved = saved.to_str().unwrap();
    must(&tinbox, &["save", "-o", saved, "one"], "save");
    let layer = &one.layers[0];
    let record = tinbox.path("images/layers").join(layer.chain_id.hex()).join("layer.json");
    for damaged in [blob(&tinbox, &layer.descriptor.digest), blob(&tinbox, &one.id), record] {
        fs::write(&damaged, "x").unwrap();
        must(&tinbox, &["load", "-i", saved], "load");
        must(&tinbox, &["save", "-o", saved, "one"], "save again");
        tinbox.tinbox("inspect one").ok();
    }
}

fn a_missing_index_is_not_an_empty_store() {
    let (tinbox, _dir) = with_two();
    let before = contents(&tinbox);
    fs::remove_file(tinbox.path("images/index.json")).unwrap();
    for arguments in ["images", "image prune -f", "rmi one"] {
        let ended = tinbox.tinbox(arguments);
        assert_eq!(ended.status, 1, "{arguments}");
        assert!(ended.stderr.contains("index.json is missing, though there are images"), "{}", ended.stderr);
        assert!(ended.stderr.contains("help: only a backup of it has the names"), "{}", ended.stderr);
    }
    assert_eq!(contents(&tinbox), before);
}

fn a_missing_layer_is_what_is_said() {
    let tinbox = Tinbox::without_images();
    tinbox.tinbox("run --rm base true").ok();
    let layer = image(&tinbox, "base").layers[0].chain_id.hex();
    let tree = tinbox.path("images/layers").join(&layer).join("tree");
    fs::rename(&tree, tinbox.path("elsewhere")).unwrap();
    let ended = tinbox.tinbox("run --rm base true");
    assert_eq!(ended.status, 125);
    let why = format!("layer {}: it is missing: remove the image, and fetch it again", tree.display());
    assert!(ended.stderr.contains(&why) && !ended.stderr.contains("overlay does not work"), "{}", ended.stderr);
    fs::rename(tinbox.path("elsewhere"), &tree).unwrap();
    tinbox.tinbox("run --rm base true").ok();
}

fn a_digest_is_no_name_to_give() {
    let (tinbox, dir) = with_two();
    let name = format!("host.example/x@sha256:{}", "0".repeat(64));
    let error = tinbox.tinbox(&format!("import {} {name}", dir.path().join("one.tar").display())).fails(1);
    assert_eq!(error, "tinbox: cannot import digest reference\n");
}
