//! What is written.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::make::{layer, layout};
use super::{load, stored};
use crate::Test;
use crate::support::need::Need::Program;
use crate::support::{Ended, Tinbox};

pub const TESTS: &[Test] = &[
    ("the_same_image_gives_the_same_bytes", &[], the_same_image_gives_the_same_bytes),
    ("an_archive_is_both_forms_at_once", &[], an_archive_is_both_forms_at_once),
    ("skopeo_reads_both_forms", &[Program("skopeo")], skopeo_reads_both_forms),
    ("what_is_damaged_is_not_saved", &[], what_is_damaged_is_not_saved),
    ("a_terminal_gets_no_archive", &[Program("script")], a_terminal_gets_no_archive),
    ("what_cannot_be_written_is_refused", &[], what_cannot_be_written_is_refused),
];

/// A Tinbox with the image `app:1`.
fn loaded() -> Tinbox {
    let tinbox = Tinbox::without_images();
    load(&tinbox, &layout("app:1", &[&layer("one", "1"), &layer("two", "2")]).bytes()).ok();
    tinbox
}

fn save(tinbox: &Tinbox, image: &str) -> Vec<u8> {
    let output = tinbox.command(["save", image]).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr)), (Some(0), "".into()));
    output.stdout
}

fn the_same_image_gives_the_same_bytes() {
    let (first, second) = (loaded(), Tinbox::without_images());
    let archive = save(&first, "app:1");
    let file = first.path("saved.tar");
    first.tinbox(&format!("save -o {} app:1", file.display())).ok();
    assert!(std::fs::read(&file).unwrap() == archive, "to a file");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "for its owner");
    load(&second, &archive).ok();
    assert!(save(&second, "app:1") == archive, "from another store");
}

fn an_archive_is_both_forms_at_once() {
    let tinbox = loaded();
    let mut archive = tar::Archive::new(std::io::Cursor::new(save(&tinbox, "app:1")));
    let mut members = std::collections::BTreeMap::new();
    for member in archive.entries().unwrap() {
        let mut member = member.unwrap();
        assert_eq!(member.header().mtime().unwrap(), 0);
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut member, &mut content).unwrap();
        members.insert(member.path().unwrap().to_str().unwrap().to_owned(), content);
    }
    let json = |path: &str| -> Value { serde_json::from_slice(&members[path]).unwrap() };
    assert_eq!(json("oci-layout")["imageLayoutVersion"], "1.0.0");
    let entry = &json("index.json")["manifests"][0];
    assert_eq!(entry["annotations"]["io.containerd.image.name"], "docker.io/library/app:1");
    assert_eq!(entry["annotations"]["org.opencontainers.image.ref.name"], "docker.io/library/app:1");
    let blob = |digest: &Value| format!("blobs/sha256/{}", digest.as_str().unwrap().trim_start_matches("sha256:"));
    let manifest = json(&blob(&entry["digest"]));
    let image = &json("manifest.json")[0];
    assert_eq!(image["RepoTags"], serde_json::json!(["app:1"]));
    assert_eq!(image["Config"], blob(&manifest["config"]["digest"]));
    let layers = manifest["layers"].as_array().unwrap().iter().map(|layer| blob(&layer["digest"]));
    let layers: Vec<Value> = layers.map(Value::from).collect();
    assert_eq!((image["Layers"].as_array().unwrap(), layers.len()), (&layers, 2));
    assert!(layers.iter().all(|layer| members.contains_key(layer.as_str().unwrap())));
}

fn skopeo_reads_both_forms() {
    let tinbox = loaded();
    let file = tinbox.path("saved.tar");
    std::fs::write(&file, save(&tinbox, "app:1")).unwrap();
    let config = |form: &str, name: &str| {
        let image = format!("{form}:{}{name}", file.display());
        let mut command = Command::new("skopeo");
        let output = command.args(["inspect", "--raw", "--config", &image]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        images::Digest::of(&output.stdout).to_string()
    };
    let id = super::id(&tinbox, "app:1");
    for (form, name) in [
        ("docker-archive", ""),
        ("docker-archive", ":app:1"),
        ("oci-archive", ""),
        ("oci-archive", ":docker.io/library/app:1"),
    ] {
        assert_eq!(config(form, name), id, "{form}{name}");
    }
}

fn what_is_damaged_is_not_saved() {
    let tinbox = loaded();
    let largest = |path: &std::path::PathBuf| std::fs::metadata(path).unwrap().len();
    let layers = stored(&tinbox, "blobs/sha256").into_iter().filter(|path| is_gzip(path));
    let layer = layers.max_by_key(largest).unwrap();
    let mut bytes = std::fs::read(&layer).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&layer, bytes).unwrap();

    let file = tinbox.path("out/saved.tar");
    std::fs::create_dir(tinbox.path("out")).unwrap();
    let save = || tinbox.tinbox(&format!("save -o {} app:1", file.display())).fails(1);
    let error = save();
    assert!(error.contains("not what its name says"), "{error}");
    assert_eq!(std::fs::read_dir(tinbox.path("out")).unwrap().count(), 0);
    std::fs::write(&file, "what was there").unwrap();
    save();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "what was there");
    assert_eq!(std::fs::read_dir(tinbox.path("out")).unwrap().count(), 1);
}

fn is_gzip(path: &Path) -> bool {
    std::fs::read(path).unwrap().starts_with(&[0x1f, 0x8b])
}

fn a_terminal_gets_no_archive() {
    let tinbox = loaded();
    let program = crate::support::TINBOX;
    let mut script = Command::new("script");
    script.args(["-qec", &format!("{program} save app:1"), "/dev/null"]).env("TINBOX_ROOT", tinbox.path(""));
    let ended = Ended::of(script.stdin(std::process::Stdio::null()).output().unwrap());
    assert!(ended.stdout.contains("cowardly refusing to save to a terminal"), "{ended:?}");
    assert_eq!(ended.status, 1);
}

fn what_cannot_be_written_is_refused() {
    let tinbox = loaded();
    for (arguments, words) in [
        ("save -o /dev/null app:1", "invalid output path: \"/dev/null\" is there, and is not a regular file"),
        (
            "save -o /no/such/x.tar app:1",
            "invalid output path: \"/no/such/x.tar\": directory \"/no/such\" does not exist",
        ),
        ("save app:1 other", "No such image: other"),
    ] {
        let error = tinbox.tinbox(arguments).fails(1);
        assert!(error.contains(words), "{error}");
    }
}
