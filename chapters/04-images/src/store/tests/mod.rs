//! The store: what is added, found, named, shared and cleared away.

mod damage;
mod removing;

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::draft::Draft;
use super::*;
use crate::oci::{ImageConfig, RootFs, media};
use crate::test_dir::TestDir;
use crate::test_tar::{archive, file};
use crate::{Digest, apply_layer, remove_tree};

fn store() -> (TestDir, Store) {
    let temp = TestDir::new();
    let store = Store::open(&temp.path().join("images"));
    (temp, store)
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A layer of one file.
fn layer(content: &str) -> Vec<u8> {
    archive(&[file("file", content)])
}

/// Adds an image of these layers.
fn add(store: &Store, layers: &[&str], names: &[&str]) -> Image {
    let writer = store.write().unwrap();
    let (mut config, mut descriptors, mut below) = (ImageConfig::default(), Vec::new(), None);
    config.created = Some(format!("2026-01-01T00:00:0{}Z", layers.len()));
    for content in layers {
        let received = writer.receive(&mut &layer(content)[..], &Expected::default(), apply_layer).unwrap();
        let placed = writer.place(received, below.as_ref()).unwrap();
        config.rootfs.diff_ids.push(placed.diff_id);
        descriptors.push(placed.descriptor);
        below = Some(placed.chain_id);
    }
    let names: Vec<Name> = names.iter().map(|text| name(text)).collect();
    writer.commit_new(&config, descriptors, &names).unwrap()
}

/// All files of the store but those that are always there.
fn files(store: &Store) -> Vec<String> {
    let mut found = Vec::new();
    for dir in ["blobs/sha256", "layers", "tmp"] {
        for entry in fs::read_dir(store.dir.join(dir)).into_iter().flatten() {
            found.push(format!("{dir}/{}", entry.unwrap().file_name().to_string_lossy()));
        }
    }
    found.sort();
    found
}

fn collect(store: &Store) -> Vec<Collected> {
    let collection = store.collect(&store.alone().unwrap().unwrap()).unwrap();
    let collected = collection.collected.clone();
    collection.remove_files().unwrap();
    collected
}

fn content(tree: &Path) -> String {
    fs::read_to_string(tree.join("file")).unwrap()
}

#[test]
fn an_image_is_found_by_name_id_and_digest() {
    let (_temp, store) = store();
    let image = add(&store, &["one", "two"], &["app:1", "app"]);
    let found = store.find(&name("app")).unwrap().unwrap();
    assert_eq!((found.id, found.layers.len()), (image.id, 2));
    let trees = store.trees(&found);
    assert_eq!((content(&trees[0]), content(&trees[1])), ("one".into(), "two".into()));
    for wanted in ["app:1", "docker.io/library/app", &image.id.to_string(), &image.id.short(), &image.id.hex()[..3]] {
        let found = store.look_up(wanted).unwrap();
        assert_eq!((found.id, found.names), (image.id, vec![name("app:1"), name("app")]), "{wanted}");
    }
    for missing in ["app:2", "sha256:", "", "A b", "fffffffffffff", &format!("app@{}", image.id)] {
        assert!(store.look_up(missing).unwrap_err().to_string().starts_with("No such image: "), "{missing}");
    }
}

#[test]
fn the_layout_is_ocis() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["app:1"]);
    let json =
        |path: &str| -> serde_json::Value { serde_json::from_slice(&fs::read(store.dir.join(path)).unwrap()).unwrap() };
    assert_eq!(json("oci-layout")["imageLayoutVersion"], "1.0.0");
    let entry = &json("index.json")["manifests"][0];
    assert_eq!(entry["annotations"]["org.opencontainers.image.ref.name"], "docker.io/library/app:1");
    let manifest = json(&format!("blobs/sha256/{}", &entry["digest"].as_str().unwrap()[7..]));
    assert_eq!(manifest["config"]["digest"], image.id.to_string());
    assert_eq!(manifest["layers"][0]["mediaType"], media::LAYER_GZIP);
}

#[test]
fn names_move_and_what_lost_its_name_stays_without_one() {
    let (_temp, store) = store();
    let (old, new) = (add(&store, &["old"], &["app"]), add(&store, &["old", "new"], &["app"]));
    let list = store.list().unwrap();
    assert_eq!(list.iter().map(|image| image.id).collect::<Vec<_>>(), [new.id, old.id], "the newest comes first");
    assert_eq!((list[0].names.len(), list[1].names.len()), (1, 0));
    store.tag(&old, &name("old")).unwrap();
    assert_eq!(store.list().unwrap().len(), 2);
    store.untag(&name("old"), true).unwrap();
    assert_eq!(store.list().unwrap().len(), 2);
    store.tag(&old, &name("old")).unwrap();
    store.untag(&name("old"), false).unwrap();
    assert_eq!(store.list().unwrap().iter().map(|image| image.id).collect::<Vec<_>>(), [new.id]);
}

#[test]
fn what_nothing_refers_to_is_cleared_away_and_what_is_shared_stays() {
    let (_temp, store) = store();
    let small = add(&store, &["shared"], &["small"]);
    let before = files(&store);
    let large = add(&store, &["shared", "more", "most"], &["large"]);
    store.forget(&large, false).unwrap();
    let collected = collect(&store);
    assert_eq!(collected.iter().filter(|one| one.what == CollectedKind::Layer).count(), 2);
    assert_eq!(collected.iter().filter(|one| one.what == CollectedKind::Blob).count(), 4);
    assert_eq!(files(&store), before);
    assert_eq!(content(&store.trees(&small)[0]), "shared");
    assert!(collect(&store).is_empty());
}

#[test]
fn nothing_is_cleared_away_while_somebody_adds() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["app"]);
    store.forget(&image, false).unwrap();
    let writer = store.write().unwrap();
    assert!(writer.has_layer(&image.layers[0].descriptor, &image.layers[0].chain_id));
    assert!(store.alone().unwrap().is_none());
    drop(writer);
    assert_eq!(collect(&store).len(), 4);
}

#[test]
fn a_layer_that_is_not_as_expected_leaves_nothing() {
    let (_temp, store) = store();
    let writer = store.write().unwrap();
    let (bytes, other) = (layer("content"), Some(Digest::of(b"other")));
    let size = bytes.len() as u64;
    for (expected, words) in [
        (Expected { digest: other, ..Expected::default() }, "its digest is"),
        (Expected { diff_id: other, ..Expected::default() }, "its diff id is"),
        (Expected { size: Some(size - 1), ..Expected::default() }, "but has more"),
        (Expected { size: Some(size + 1), ..Expected::default() }, "should have"),
    ] {
        let error = writer.receive(&mut &bytes[..], &expected, apply_layer).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(files(&store).is_empty(), "{:?}", files(&store));
    }
    let exact = Expected { size: Some(size), digest: Some(Digest::of(&bytes)), diff_id: Some(Digest::of(&bytes)) };
    drop(writer.receive(&mut &bytes[..], &exact, apply_layer).unwrap());
    assert!(files(&store).is_empty(), "a layer without a place is gone with who received it");
}

#[test]
fn an_end_mark_may_be_missing_where_the_digest_is_known() {
    let (_temp, store) = store();
    let whole = layer("content");
    let bytes = &whole[..whole.len().min(1024)];
    let writer = store.write().unwrap();
    let error = writer.receive(&mut &bytes[..], &Expected::default(), apply_layer).unwrap_err();
    assert!(format!("{error:#}").contains("without an end mark"), "{error:#}");
    let known = Expected { diff_id: Some(Digest::of(bytes)), ..Expected::default() };
    assert_eq!(writer.receive(&mut &bytes[..], &known, apply_layer).unwrap().members, 1);
    let cut = &whole[..515];
    let known = Expected { diff_id: Some(Digest::of(cut)), ..Expected::default() };
    assert!(writer.receive(&mut &cut[..], &known, apply_layer).is_err());
}

#[test]
fn a_source_that_fails_is_what_is_said() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable was pulled"))
        }
    }
    let (_temp, store) = store();
    let bytes = layer(&"long ".repeat(200_000));
    let mut source = bytes[..600_000].chain(Fails);
    let error = store.write().unwrap().receive(&mut source, &Expected::default(), apply_layer).unwrap_err();
    assert!(format!("{error:#}").contains("the cable was pulled"), "{error:#}");
    assert!(files(&store).is_empty());
}

#[test]
fn an_image_that_lacks_something_does_not_become_visible() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["app"]);
    let writer = store.write().unwrap();
    let mut config = image.config.clone();
    config.rootfs.diff_ids.push(Digest::of(b"missing"));
    let layers: Vec<_> = image.layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let error = writer.commit_new(&config, layers.clone(), &[name("bad")]).unwrap_err();
    assert!(format!("{error:#}").contains("its manifest has 1 layers, but its config knows 2"), "{error:#}");
    let two = [layers.clone(), layers].concat();
    let error = writer.commit_new(&config, two, &[name("bad")]).unwrap_err();
    assert!(error.to_string().contains("is missing"), "{error:#}");
    assert!(store.find(&name("bad")).unwrap().is_none());
}

#[test]
fn a_blob_is_no_layer_but_those_that_it_was_seen_to_hold() {
    let (_temp, store) = store();
    let (one, two) = (add(&store, &["one"], &["one"]), add(&store, &["two"], &["two"]));
    let [one_layer, two_layer] = [&one, &two].map(|image| image.layers[0].clone());
    let writer = store.write().unwrap();
    // Both are there, but they do not belong together, whatever a manifest says.
    assert!(!writer.has_layer(&one_layer.descriptor, &two_layer.chain_id));
    let error = writer.commit_new(&two.config, vec![one_layer.descriptor], &[name("bad")]).unwrap_err().to_string();
    assert!(error.contains("is not known to hold the layer"), "{error}");
    let mut longer = two_layer.descriptor.clone();
    longer.size += 1;
    assert!(!writer.has_layer(&longer, &two_layer.chain_id));
    assert!(writer.commit_new(&two.config, vec![longer], &[name("bad")]).is_err());
    assert!(store.find(&name("bad")).unwrap().is_none());
    assert_eq!(writer.blobs_of(&two_layer.chain_id), [two_layer.descriptor]);
}

#[test]
fn one_layer_can_be_there_as_several_blobs() {
    let (_temp, store) = store();
    let first = add(&store, &["one"], &["first"]);
    let layer_of_first = &first.layers[0];
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&layer("one")).unwrap();
    let packed = packed.finish().unwrap();
    let writer = store.write().unwrap();
    let second =
        writer.place(writer.receive(&mut &packed[..], &Expected::default(), apply_layer).unwrap(), None).unwrap();
    assert_eq!(second.chain_id, layer_of_first.chain_id);
    for blob in [&layer_of_first.descriptor, &second.descriptor] {
        assert!(writer.has_layer(blob, &second.chain_id));
    }
    writer.commit_new(&first.config, vec![second.descriptor.clone()], &[name("second")]).unwrap();
    drop(writer);
    store.untag(&name("first"), false).unwrap();
    collect(&store);
    let writer = store.write().unwrap();
    assert_eq!(writer.blobs_of(&second.chain_id), [second.descriptor], "what was cleared away is there no more");
    assert!(!writer.has_layer(&layer_of_first.descriptor, &second.chain_id));
}

#[test]
fn a_document_that_was_changed_is_not_served() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["app"]);
    fs::write(store.blob(&image.id), "{}").unwrap();
    let error = format!("{:#}", store.find(&name("app")).unwrap_err());
    assert!(error.contains("not what its name says"), "{error}");
}

#[test]
fn the_draft_of_a_maker_that_died_is_swept_and_no_other() {
    let (_temp, store) = store();
    let alive = Draft::begin(&store.write().map(|_| store.clone()).unwrap()).unwrap();
    fs::create_dir_all(store.drafts().join("77/layer/tree/some/where")).unwrap();
    drop(store.write().unwrap());
    assert!(alive.tree().is_dir());
    assert_eq!(files(&store).len(), 1);
}

#[test]
fn many_add_the_same_at_once() {
    let (_temp, store) = store();
    let ids: Vec<Digest> = std::thread::scope(|scope| {
        let adding: Vec<_> = (0..4).map(|_| scope.spawn(|| add(&store, &["one", "two"], &["app"]).id)).collect();
        adding.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!((files(&store).len(), store.list().unwrap().len()), (6, 1));
    remove_tree(&store.dir).unwrap();
}

#[test]
fn an_image_of_nothing_can_be_there_too() {
    let (_temp, store) = store();
    let config = ImageConfig { rootfs: RootFs::default(), ..ImageConfig::default() };
    let image = store.write().unwrap().commit_new(&config, Vec::new(), &[name("scratch-like")]).unwrap();
    assert_eq!((image.chain_id(), store.trees(&image).len()), (None, 0));
}
