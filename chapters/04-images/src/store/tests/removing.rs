//! Removing: whom it holds up, and what it takes.

use std::os::unix::fs::MetadataExt;

use super::*;
use crate::store::index::{Names, Room};

#[test]
fn the_files_of_a_layer_are_removed_when_the_store_was_let_go() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["app"]);
    store.forget(&image, false).unwrap();
    let alone = store.alone().unwrap().unwrap();
    let collection = store.collect(&alone).unwrap();
    drop(alone);
    // They are out of their place, and another can add the same meanwhile.
    let [removed] = &files(&store)[..] else { panic!("{:?}", files(&store)) };
    add(&store, &["one"], &["app"]);
    assert_eq!(content(&store.dir.join(removed).join("tree")), "one");
    collection.remove_files().unwrap();
    assert_eq!(files(&store).len(), 4);
}

#[test]
fn what_a_killed_remover_left_goes_with_the_next_one_who_adds() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["app"]);
    fs::rename(store.layer(&image.layers[0].chain_id), store.drafts().join("5")).unwrap();
    drop(store.write().unwrap());
    assert_eq!(files(&store).len(), 3);
}

#[test]
fn a_layer_can_be_removed_in_its_place() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["app"]);
    store.forget(&image, false).unwrap();
    fs::remove_dir(store.drafts()).unwrap();
    assert_eq!(collect(&store).len(), 4);
    assert!(files(&store).is_empty());
}

#[test]
fn the_spare_file_becomes_the_index_and_is_made_again() {
    let (_temp, store) = store();
    add(&store, &["one"], &["app", "other"]);
    let spare = store.dir.join("spare");
    let index = || fs::read(store.dir.join("index.json")).unwrap();
    assert!(fs::metadata(&spare).unwrap().blocks() * 512 > index().len() as u64);
    spare::become_index(&store, b"short").unwrap();
    assert_eq!(index(), b"short");
    assert!(!spare.exists() && spare::become_index(&store, b"again").is_err());
    Names::default().write(&store, Room::Spare).unwrap();
    assert!(spare.exists());
}

#[test]
fn room_that_is_taken_for_a_spare_file_does_no_harm_to_the_index_that_it_became() {
    let (_temp, store) = store();
    add(&store, &["one"], &["app"]);
    let spare = spare::open(&store).unwrap();
    spare::become_index(&store, b"short").unwrap();
    spare::reserve(&spare, 1 << 16);
    assert_eq!(fs::read(store.dir.join("index.json")).unwrap(), b"short");
}

#[test]
fn the_name_of_a_draft_is_not_used_again() {
    let (_temp, store) = store();
    drop(store.write().unwrap());
    let first = Draft::begin(&store).unwrap();
    let before = first.tree();
    first.remove().unwrap();
    assert_ne!(Draft::begin(&store).unwrap().tree(), before);
}

#[test]
fn a_draft_that_its_maker_has_removed_is_not_abandoned() {
    let (_temp, store) = store();
    drop(store.write().unwrap());
    let draft = Draft::begin(&store).unwrap();
    let dir = draft.layer().parent().unwrap().to_owned();
    let handle = File::open(&dir).unwrap();
    draft.remove().unwrap();
    fs::create_dir(&dir).unwrap();
    assert!(Draft::if_abandoned(dir.clone(), handle).is_none());
    assert!(dir.is_dir());
    assert!(Draft::if_abandoned(dir.clone(), File::open(&dir).unwrap()).is_some());
    assert!(!dir.exists());
}

#[test]
fn a_name_with_a_digest_is_that_of_the_manifest() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["app"]);
    let other = name(&format!("app@{}", Digest::of(b"other")));
    let words = "refusing to create a tag with a digest reference";
    assert_eq!(store.tag(&image, &other).unwrap_err().to_string(), words);
    store.tag(&image, &name("app").with_digest(image.manifest.digest)).unwrap();
    let writer = store.write().unwrap();
    let layers: Vec<_> = image.layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let error = writer.commit_new(&image.config, layers, &[other]).unwrap_err();
    assert_eq!(error.to_string(), words);
}

#[test]
fn a_manifest_that_says_a_wrong_size_of_its_config_is_refused() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["app"]);
    let mut manifest = store.read_manifest(&image.manifest.digest).unwrap();
    manifest.config.size += 1;
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let error = store.write().unwrap().commit(&bytes, media::MANIFEST, &[name("bad")]).unwrap_err().to_string();
    assert!(error.contains("its manifest says that its config has"), "{error}");
    assert!(store.find(&name("bad")).unwrap().is_none());
}

#[test]
fn a_name_means_its_own_manifest_even_if_another_has_the_same_config() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["first"]);
    let mut manifest = store.read_manifest(&image.manifest.digest).unwrap();
    manifest.annotations.insert("note".into(), "another".into());
    let bytes = serde_json::to_vec(&manifest).unwrap();
    store.write().unwrap().commit(&bytes, media::MANIFEST, &[name("second")]).unwrap();
    for (wanted, manifest) in [("first", image.manifest.digest), ("second", Digest::of(&bytes))] {
        let found = store.look_up(wanted).unwrap();
        assert_eq!((found.manifest.digest, found.names.len()), (manifest, 2), "{wanted}");
    }
}
