//! Damage: what is damaged can be removed and fetched again, and nothing else suffers from it.

use std::os::unix::fs::{MetadataExt, symlink};

use super::*;

/// What `look_up` says about a damaged image.
fn damaged(store: &Store, wanted: &str) -> DamagedImage {
    store.look_up(wanted).unwrap_err().downcast().unwrap()
}

#[test]
fn a_damaged_image_does_not_stand_in_the_way_of_others() {
    let (_temp, store) = store();
    let (one, two) = (add(&store, &["one"], &["one:1", "one:2"]), add(&store, &["two", "more"], &["two"]));
    fs::write(store.blob(&one.id), "{").unwrap();
    assert_eq!(store.list().unwrap().iter().map(|image| image.id).collect::<Vec<_>>(), [two.id]);
    assert_eq!(store.look_up("two").unwrap().id, two.id);
    let found = store.listing().unwrap().damaged;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].names.clone(), found[0].id), (vec![name("one:1"), name("one:2")], Some(one.id)));
    let said = found[0].to_string();
    assert!(said.ends_with("remove it with `tinbox rmi one:1 one:2`, and fetch it again"), "{said}");
    let meant =
        [damaged(&store, "one:1"), damaged(&store, &one.manifest.digest.short()), damaged(&store, &one.id.hex())];
    assert!(meant.iter().all(|image| image.manifest == one.manifest.digest));
}

#[test]
fn what_a_damaged_image_needs_stays_as_long_as_it_has_its_name() {
    for document in ["config", "manifest"] {
        let (_temp, store) = store();
        let (one, two) = (add(&store, &["one"], &["one"]), add(&store, &["two"], &["two"]));
        fs::remove_file(store.blob(if document == "config" { &one.id } else { &one.manifest.digest })).unwrap();
        store.forget(&two, false).unwrap();
        // Its manifest says which layers are its own. Without that, all may be.
        let gone = collect(&store).len();
        assert_eq!(gone, if document == "config" { 4 } else { 0 }, "{document}");
        assert!(store.tree(&one.layers[0].chain_id).is_dir() && store.has_blob(&one.layers[0].descriptor));
        store.forget_damaged(&damaged(&store, "one"), true).unwrap();
        collect(&store);
        assert!(store.tree(&one.layers[0].chain_id).is_dir(), "it was to stay, without its name");
        store.forget_damaged(&damaged(&store, &one.manifest.digest.hex()), false).unwrap();
        collect(&store);
        assert!(files(&store).is_empty(), "{document}: {:?}", files(&store));
    }
}

#[test]
fn what_is_damaged_is_mended_by_adding_the_same_again() {
    let (_temp, store) = store();
    let image = add(&store, &["one", "two"], &["app"]);
    let before = files(&store);
    let [below, layer] = [0, 1].map(|at| &image.layers[at]);
    let record = store.layer(&below.chain_id).join("layer.json");
    let damages: [(&str, bool, &dyn Fn()); 7] = [
        ("a cut manifest", true, &|| fs::write(store.blob(&image.manifest.digest), "{").unwrap()),
        ("no config", true, &|| fs::remove_file(store.blob(&image.id)).unwrap()),
        ("a cut blob", false, &|| fs::write(store.blob(&layer.descriptor.digest), "cut").unwrap()),
        ("no blob", false, &|| fs::remove_file(store.blob(&layer.descriptor.digest)).unwrap()),
        ("an empty record", false, &|| fs::write(&record, "").unwrap()),
        ("no record", false, &|| fs::remove_file(&record).unwrap()),
        ("no tree", false, &|| fs::remove_dir_all(store.tree(&below.chain_id)).unwrap()),
    ];
    for (what, layers_are_whole, damage) in damages {
        damage();
        let writer = store.write().unwrap();
        let whole = image.layers.iter().all(|layer| writer.has_layer(&layer.descriptor, &layer.chain_id));
        assert_eq!(whole, layers_are_whole, "{what}");
        drop(writer);
        assert_eq!(add(&store, &["one", "two"], &["app"]).id, image.id, "{what}");
        let found = store.find(&name("app")).unwrap().unwrap();
        assert_eq!(found.problem(&store), None, "{what}");
        assert_eq!(files(&store), before, "{what}");
        assert!(store.trees(&found).iter().zip(["one", "two"]).all(|(tree, word)| content(tree) == word), "{what}");
    }
}

#[test]
fn a_tree_stays_where_it_is_whatever_happened_to_its_record() {
    let (_temp, store) = store();
    let layer = add(&store, &["one"], &["app"]).layers.remove(0);
    let inode = || fs::metadata(store.tree(&layer.chain_id)).unwrap().ino();
    let before = inode();
    fs::write(store.layer(&layer.chain_id).join("layer.json"), "").unwrap();
    add(&store, &["one"], &["app"]);
    assert_eq!(inode(), before, "a container may have it mounted");
    assert!(store.holds(&layer.descriptor, &layer.chain_id));
}

#[test]
fn a_store_without_its_index_is_damaged_and_not_empty() {
    for contents in [None, Some(""), Some("{")] {
        let (_temp, store) = store();
        add(&store, &["one"], &["app"]);
        let before = files(&store);
        let index = store.dir.join("index.json");
        fs::remove_file(&index).unwrap();
        if let Some(contents) = contents {
            fs::write(&index, contents).unwrap();
        }
        let alone = store.alone().unwrap().unwrap();
        for error in [store.collect(&alone).map(drop), store.list().map(drop), store.find(&name("app")).map(drop)] {
            let error = format!("{:#}", error.unwrap_err());
            assert!(error.contains("help: only a backup of it has the names of the images"), "{error}");
        }
        drop(alone);
        assert!(store.write().is_err());
        assert_eq!(files(&store), before);
        // What the help says.
        fs::write(&index, r#"{"schemaVersion":2,"manifests":[]}"#).unwrap();
        assert_eq!(collect(&store).len(), 4);
    }
}

#[test]
fn a_store_that_never_had_an_index_is_empty() {
    let (_temp, store) = store();
    add(&store, &["one"], &["app"]);
    for name in ["index.json", "oci-layout", "spare"] {
        fs::remove_file(store.dir.join(name)).unwrap();
    }
    assert!(store.list().unwrap().is_empty());
    add(&store, &["one"], &["app"]);
    assert_eq!(store.list().unwrap().len(), 1);
    assert!(store.dir.join("oci-layout").exists());
}

#[test]
fn a_layer_that_does_not_say_what_holds_it_stays_beside_a_damaged_image() {
    let (_temp, store) = store();
    let image = add(&store, &["one"], &["app"]);
    let chain_id = image.layers[0].chain_id;
    let record = crate::store::layers::LayerRecord { blobs: Vec::new(), ..store.layer_record(&chain_id).unwrap() };
    record.write(&store.layer(&chain_id)).unwrap();
    fs::remove_file(store.blob(&image.id)).unwrap();
    collect(&store);
    assert!(store.tree(&chain_id).is_dir());
}

#[test]
fn what_was_begun_in_an_empty_store_and_killed_is_no_damage() {
    let (_temp, store) = store();
    let writer = store.write().unwrap();
    let received = writer.receive(&mut &layer("one")[..], &Expected::default(), apply_layer).unwrap();
    writer.place(received, None).unwrap();
    drop(writer);
    assert_eq!(collect(&store).len(), 2);
}

#[test]
fn a_file_of_the_store_is_not_written_through_a_link() {
    let (temp, store) = store();
    let outside = temp.path().join("outside");
    drop(store.write().unwrap());
    for link in ["index.json.new", "blobs/new"] {
        symlink(&outside, store.dir.join(link)).unwrap();
    }
    add(&store, &["one"], &["app"]);
    assert!(!outside.exists());
}
