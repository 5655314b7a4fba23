//! What is refused, and that nothing of it is left.

use serde_json::{Value, json};

use super::make::{
    self, Archive, INDEX, MANIFEST, Member, config, descriptor, docker, index, layer, layout, manifest, named,
};
use super::{load, load_piped, stored};
use crate::Test;
use crate::support::Tinbox;

pub const TESTS: &[Test] = &[
    ("documents_that_do_not_fit_are_refused", &[], documents_that_do_not_fit_are_refused),
    ("a_document_is_one_thing", &[], a_document_is_one_thing),
    ("more_images_than_anybody_has_are_refused", &[], more_images_than_anybody_has_are_refused),
    ("links_stay_in_the_archive", &[], links_stay_in_the_archive),
    ("what_is_no_archive_of_images_is_refused", &[], what_is_no_archive_of_images_is_refused),
    ("cut_off_anywhere_nothing_is_left", &[], cut_off_anywhere_nothing_is_left),
    ("names_of_members_are_capped", &[], names_of_members_are_capped),
];

/// Asserts that an archive is refused with these words, from a file and from a pipe.
#[track_caller]
fn refused(archive: &[u8], words: &str) {
    for load in [load, load_piped] {
        let tinbox = Tinbox::without_images();
        let error = load(&tinbox, archive).fails(1);
        assert!(error.contains(words), "{words}: {error}");
        assert!(!error.chars().any(|c| c.is_control() && c != '\n'), "{error:?}");
        for dir in ["blobs/sha256", "layers", "tmp"] {
            assert_eq!(stored(&tinbox, dir), [""; 0].map(std::path::PathBuf::from), "{words}: {dir}");
        }
        assert_eq!(tinbox.tinbox("images -q").ok(), "", "{words}");
    }
}

fn documents_that_do_not_fit_are_refused() {
    let (one, two) = (layer("one", "1"), layer("two", "2"));
    let with = |list: Value| docker(&["app:1"], &[&one]).bytes_with(&list);
    let path = format!("{}.json", images::Digest::of(&config(&[&one])).hex());
    let list =
        |config: &str, tag: &str, layers: &[&str]| json!([{ "Config": config, "RepoTags": [tag], "Layers": layers }]);
    refused(&with(list(&path, "app:1", &[])), "it has 0 layers, but its config knows 1");
    refused(&with(list(&path, "app:1", &["x\u{1b}[31m"])), "the archive has no x\\u{1b}[31m");
    refused(&with(list(&path, "app:1", &["../../etc/passwd"])), "the archive has no ../../etc/passwd");
    refused(&with(list(&path, "app:1", &["/etc/passwd"])), "the archive has no /etc/passwd");
    refused(&with(list(&path, "App/x:\u{7}", &["id-0/layer.tar"])), "invalid reference format");
    refused(&with(list("no.json", "app:1", &["id-0/layer.tar"])), "the archive has no no.json");
    refused(&with(list("id-0/layer.tar", "app:1", &["id-0/layer.tar"])), "its config cannot be read");
    refused(&with(json!([])), "it names no image");
    refused(&with(json!({ "Config": 1 })), "read manifest.json");

    // The second layer is another one; the first is sound, and goes too.
    let mut swapped = docker(&["app:1"], &[&one, &two]);
    swapped.replace("id-1/layer.tar", layer("two", "3"));
    refused(&swapped.bytes(), "its diff id is");
    let mut swapped = docker(&["app:1"], &[&one]);
    swapped.replace(&path, config(&[&two]));
    refused(&swapped.bytes(), "the archive is damaged: its config");

    let packed = make::gzip(&one);
    let blob = format!("blobs/sha256/{}", images::Digest::of(&packed).hex());
    let mut swapped = layout("app:1", &[&one]);
    swapped.replace(&blob, [&packed[..packed.len() - 1], &[!packed[packed.len() - 1]]].concat());
    refused(&swapped.bytes(), "layer");
    let mut lacking = layout("app:1", &[&one]);
    lacking.0.retain(|member| !matches!(member, Member::File(path, _) if *path == blob));
    refused(&lacking.bytes(), "the archive has no blobs/sha256/");

    let (config, huge) = (config(&[&one]), vec![b' '; (4 << 20) + 1]);
    let manifest = manifest(&config, &[&packed]);
    let alone = |entry: Value| Archive::default().json("index.json", &index(&[named(entry, "app:1")]));
    refused(
        &alone(descriptor(MANIFEST, &huge)).blob(huge.clone()).bytes(),
        "4194304 is the most that a document may have",
    );
    refused(
        &alone(descriptor("text/html", &manifest)).blob(manifest.clone()).bytes(),
        "is not an image, but text/html",
    );
    refused(&alone(descriptor(MANIFEST, &manifest)).bytes(), "the archive has no blobs/sha256/");
    let mut nested = manifest;
    let mut archive = Archive::default();
    for _ in 0..6 {
        let outer = index(&[descriptor(INDEX, &nested)]).to_string();
        archive = archive.blob(nested);
        nested = outer.into_bytes();
    }
    refused(&archive.file("index.json", nested).bytes(), "is not an image, but application/vnd.oci.image.index");
}

fn a_document_is_one_thing() {
    let one = layer("one", "1");
    let (packed, config) = (make::gzip(&one), config(&[&one]));
    let sound: Value = serde_json::from_slice(&manifest(&config, &[&packed])).unwrap();
    let with = |manifest: &Value, change: fn(&mut Value)| {
        let mut entry = descriptor(MANIFEST, manifest.to_string().as_bytes());
        change(&mut entry);
        let archive = Archive::default().json("index.json", &index(&[named(entry, "app:1")]));
        archive.blob(manifest.to_string()).blob(config.clone()).blob(packed.clone()).bytes()
    };
    let altered = |change: fn(&mut Value)| {
        let mut manifest = sound.clone();
        change(&mut manifest);
        with(&manifest, |_| {})
    };
    let tinbox = Tinbox::without_images();
    assert_eq!(load(&tinbox, &with(&sound, |_| {})).ok(), "Loaded image: app:1\n");
    refused(&altered(|manifest| manifest["manifests"] = json!([])), "a manifest and an index at once");
    refused(&altered(|manifest| manifest["mediaType"] = json!(INDEX)), "and says that it is");
    refused(
        &altered(|manifest| manifest["config"]["mediaType"] = json!("text/html")),
        "no image of a root file system",
    );
    refused(&altered(|manifest| manifest["layers"][0]["mediaType"] = json!("text/html")), "no layer that Tinbox");
    refused(&altered(|manifest| manifest["config"]["size"] = json!(1)), "and it is said to have 1");
    refused(&with(&sound, |entry| entry["size"] = json!(1)), "and it is said to have 1");
}

fn more_images_than_anybody_has_are_refused() {
    let entry = |n: usize| json!({ "Config": n.to_string(), "Layers": [] });
    let list: Vec<Value> = (0..1001).map(entry).collect();
    refused(&Archive::default().json("manifest.json", &json!(list)).bytes(), "it names 1001 images");
}

fn links_stay_in_the_archive() {
    let one = layer("one", "1");
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(outside.path(), &one).unwrap();
    let absolute = outside.path().to_str().unwrap();
    let up = format!("../../../../../../../..{absolute}");
    let image = |archive: Archive| {
        let list = json!([{ "Config": "c", "RepoTags": ["app:1"], "Layers": ["a/layer.tar"] }]);
        archive.file("c", config(&[&one])).json("manifest.json", &list).bytes()
    };
    let empty = Archive::default;
    refused(&image(empty().link("a/layer.tar", absolute)), "a/layer.tar is no file");
    refused(&image(empty().link("a/layer.tar", &up)), "a/layer.tar is no file");
    refused(&image(empty().link("a/layer.tar", "b").link("a/b", "layer.tar")), "leads in circles");
    refused(&image(empty().link("a/layer.tar", "nothing")), "the archive has no a/layer.tar");
    refused(&image(empty().file("a/layer.tar/x", "a directory")), "the archive has no a/layer.tar");
    refused(&image(empty().file("a/layer.tar", &one[..]).file("./a/layer.tar", &one[..])), "a/layer.tar twice");
    let mut escaping = Vec::new();
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..7].copy_from_slice(b"../evil");
    header.set_size(0);
    header.set_cksum();
    escaping.extend(header.as_bytes());
    escaping.extend([0; 1024]);
    refused(&escaping, "points outside with `..`");
}

fn what_is_no_archive_of_images_is_refused() {
    refused(b"", "the archive is empty");
    refused(b"hello", "this is not a tar archive");
    refused(&[b'x'; 4096], "this is not a tar archive");
    refused(&layer("etc/passwd", "root"), "help: a root file system becomes an image with `tinbox import`");
    refused(b"\xfd7zXZ\0\0", "copy the archive to where it can be read in any order");
    refused(b"BZh91AY", "bzip2 -dc FILE | tinbox load");
    refused(&make::gzip(&layer("x", "y"))[..40], "read");
    let tinbox = Tinbox::without_images();
    let error = tinbox.tinbox("load -i /no/such/file").fails(1);
    assert!(error.contains("open /no/such/file: No such file"), "{error}");
    assert!(tinbox.tinbox("load -i /tmp").fails(1).contains("/tmp is a directory"));
}

fn cut_off_anywhere_nothing_is_left() {
    let (one, two) = (layer("one", "1"), layer("two", "2"));
    let archive = docker(&["app:1"], &[&one, &two]).bytes();
    // At each block but those of the end mark, and in the middle of some.
    for end in (0..archive.len() - 1024).step_by(512).chain((700..archive.len() - 1024).step_by(1300)) {
        let tinbox = Tinbox::without_images();
        load(&tinbox, &archive[..end]).fails(1);
        assert!(stored(&tinbox, "layers").is_empty() && stored(&tinbox, "tmp").is_empty(), "{end}");
    }
}

fn names_of_members_are_capped() {
    let long = |n: usize| format!("{n}/{}", "long-name/".repeat(100_000));
    let archive = (0..40).fold(Archive::default(), |archive, n| archive.file(long(n), ""));
    refused(&archive.bytes(), "the archive has too many members to keep in mind");
    let target = |length: usize| "long-name/".repeat(length / 10);
    let archive =
        |length| (0..9000).fold(Archive::default(), |archive, n| archive.link(&n.to_string(), &target(length)));
    refused(&archive(4000).bytes(), "the archive has too many members to keep in mind");
    refused(&Archive::default().link("a", &target(4100)).bytes(), "the link a leads to a name of 4100 bytes");
}

impl Archive {
    fn replace(&mut self, wanted: &str, with: Vec<u8>) {
        let found = self.0.iter_mut().find_map(|member| match member {
            Member::File(path, content) if path == wanted => Some(content),
            _ => None,
        });
        *found.unwrap() = with;
    }

    /// With another `manifest.json`.
    fn bytes_with(mut self, list: &Value) -> Vec<u8> {
        self.replace("manifest.json", list.to_string().into_bytes());
        self.bytes()
    }
}
