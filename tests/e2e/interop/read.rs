//! Images that others made, read by Tinbox.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use serde_json::{Value, json};

use super::sample::{self, packed, reference};
use super::{Bench, Kept, SKOPEO, UMOCI, by_skopeo, call, unpacked};
use crate::Test;
use crate::registry::distribution::Distribution;
use crate::support::need::Need::{Containers, Program, Root};

pub const TESTS: &[Test] = &[
    ("an_image_of_umoci_is_read", &[UMOCI, SKOPEO, Root], an_image_of_umoci_is_read),
    ("an_ordinary_user_reads_an_image_of_umoci", &[UMOCI, Containers], an_ordinary_user_reads_an_image_of_umoci),
    ("what_umoci_repacked_is_read", &[UMOCI, Root], what_umoci_repacked_is_read),
    ("skopeos_forms_are_one_image", &[UMOCI, SKOPEO, Root], skopeos_forms_are_one_image),
    (
        "a_registry_in_between_changes_nothing",
        &[UMOCI, SKOPEO, Program("docker-registry"), Root],
        a_registry_in_between,
    ),
    ("an_image_of_buildah_is_read", &[Program("buildah"), UMOCI, SKOPEO, Root], an_image_of_buildah_is_read),
];

fn an_image_of_umoci_is_read() {
    let bench = Bench::new();
    let layout = sample::by_umoci(bench.dir.path());
    let name = bench.load(&packed(&layout));
    assert_eq!(bench.inspect(&name), by_skopeo(&format!("oci:{}", reference(&layout))));
    let found = bench.listing(&name, Kept::All);
    found.is(&bench.by_umoci(&reference(&layout), Kept::All));
    it_is_the_sample(&found);
}

/// Both could be wrong in the same way.
fn it_is_the_sample(found: &super::Listing) {
    let begins = |path: &str, with: &str| {
        let line = found.line(path).unwrap_or_else(|| panic!("no {path}"));
        assert!(line.starts_with(with), "{path}: {line}");
    };
    for gone in ["gone", "dir-gone/a", "dir-gone/b", "opaque/a", "opaque/b", "to-file/a"] {
        assert_eq!(found.line(&format!("data/{gone}")), None);
    }
    begins("data", "directory 751 7:9 ");
    begins("data/kept", "directory 700 9:9 ");
    begins("data/kept/a/c", "file ");
    begins("data/suid", "symlink ");
    begins("data/to-dir", "directory ");
    begins("data/null", "character device 1:3 666 0:0 ");
    assert!(found.line("data/plain").unwrap().contains(" 640 1000:1001 1234567890123456789 "));
    assert!(found.line("data/attributes").unwrap().contains("user.note="));
    assert!(found.line("data/capable").unwrap().contains("security.capability="));
    assert!(found.line("data/hard-3").unwrap().ends_with(r#""data/hard-1""#));
    assert!(!found.line("data/hard-2").unwrap().contains("hard-1"));
}

/// With ids of their own, or with one: what each file is, and how it may be used, is the same.
fn an_ordinary_user_reads_an_image_of_umoci() {
    let bench = Bench::new();
    let layout = sample::by_umoci(bench.dir.path());
    let name = bench.load(&packed(&layout));
    let found = bench.listing(&name, Kept::ByAnOrdinaryUser);
    assert!(found.line("data/plain").unwrap().contains(" 640 0:0 1234567890123456789 "), "{found:?}");
    assert_eq!((found.line("data/gone"), found.line("data/opaque/a")), (None, None));
    assert!(found.line("data/back").unwrap().contains(" 604 "), "{found:?}");
    assert!(found.line("data/hard-3").unwrap().ends_with(r#""data/hard-1""#), "{found:?}");
    assert!(found.line("data/attributes").unwrap().contains("user.note="), "{found:?}");
}

/// What somebody did in an unpacked tree, umoci says in a layer.
fn what_umoci_repacked_is_read() {
    let bench = Bench::new();
    let layout = sample::by_umoci(bench.dir.path());
    let bundle = bench.path("bundle");
    call("umoci", ["unpack", "--image", &reference(&layout), bundle.to_str().unwrap()]);
    change(&bundle.join("rootfs").join(sample::DIR));
    let changed = format!("{}:changed", layout.display());
    call("umoci", ["repack", "--image", &changed, bundle.to_str().unwrap()]);
    call("umoci", ["rm", "--image", &reference(&layout)]);
    let name = bench.load(&packed(&layout));
    let found = bench.listing(&name, Kept::All);
    found.is(&bench.by_umoci(&changed, Kept::All));
    assert_eq!((found.line("data/plain"), found.line("data/opaque/c")), (None, None));
    assert!(found.line("data/added/deep/file").is_some());
    assert!(found.line("data/empty").unwrap().contains(" 444 5:6 "));
}

fn change(dir: &Path) {
    fs::remove_file(dir.join("plain")).unwrap();
    fs::remove_dir_all(dir.join("opaque")).unwrap();
    fs::create_dir(dir.join("opaque")).unwrap();
    fs::write(dir.join("opaque/d"), "anew").unwrap();
    fs::create_dir_all(dir.join("added/deep")).unwrap();
    fs::write(dir.join("added/deep/file"), "added").unwrap();
    fs::hard_link(dir.join("added/deep/file"), dir.join("added/name")).unwrap();
    symlink("added", dir.join("to-added")).unwrap();
    fs::set_permissions(dir.join("empty"), fs::Permissions::from_mode(0o444)).unwrap();
    chown(dir.join("empty"), Some(5), Some(6)).unwrap();
    fs::remove_dir_all(dir.join("to-dir")).unwrap();
    fs::write(dir.join("to-dir"), "a file again").unwrap();
}

fn skopeos_forms_are_one_image() {
    let bench = Bench::new();
    let layout = sample::by_umoci(bench.dir.path());
    let source = format!("oci:{}", reference(&layout));
    let expected = bench.by_umoci(&reference(&layout), Kept::All);
    let file = |name: &str| bench.path(name).display().to_string();
    let forms = [
        ("oci-archive", format!("oci-archive:{}:sample:1", file("oci-archive")), "gzip"),
        ("oci-archive-zstd", format!("oci-archive:{}:sample:1", file("oci-archive-zstd")), "zstd"),
        ("docker-archive", format!("docker-archive:{}:sample:1", file("docker-archive")), "gzip"),
    ];
    for (form, to, compression) in forms {
        call("skopeo", ["copy", "--dest-compress-format", compression, &source, &to]);
        let other = Bench::new();
        let name = other.load(&bench.path(form));
        assert_eq!(name, "sample:1", "{form}");
        // Docker's form has a config of its own.
        let (id, diff_ids) = by_skopeo(&to);
        assert_eq!(other.inspect(&name), (id, diff_ids), "{form}");
        other.listing(&name, Kept::All).is(&expected);
    }
}

fn a_registry_in_between() {
    let (bench, registry) = (Bench::new(), Distribution::open());
    let layout = sample::by_umoci(bench.dir.path());
    let (source, name) = (format!("oci:{}", reference(&layout)), registry.name("team/sample:1"));
    call("skopeo", ["copy", "--dest-tls-verify=false", &source, &format!("docker://{name}")]);
    bench.tinbox.tinbox(&format!("pull -q {name}")).ok();
    assert_eq!(bench.inspect(&name), by_skopeo(&source));
    bench.listing(&name, Kept::All).is(&bench.by_umoci(&reference(&layout), Kept::All));
    // And back: somebody else's image is pushed as it came.
    let pushed = registry.name("team/again:1");
    bench.tinbox.tinbox(&format!("tag {name} {pushed}")).ok();
    bench.tinbox.tinbox(&format!("push -q {pushed}")).ok();
    let digest = |name: &str| {
        let told = call("skopeo", ["inspect", "--tls-verify=false", &format!("docker://{name}")]);
        serde_json::from_str::<Value>(&told).unwrap()["Digest"].clone()
    };
    assert_eq!(digest(&pushed), digest(&name));
}

fn an_image_of_buildah_is_read() {
    let bench = Bench::new();
    let tree = bench.path("tree");
    fs::create_dir(&tree).unwrap();
    for (number, layer) in sample::layers().iter().enumerate().take(1) {
        let file = bench.path(&format!("{number}.tar"));
        fs::write(&file, layer).unwrap();
        call("tar", ["-C", tree.to_str().unwrap(), "-xpf", file.to_str().unwrap()]);
    }
    let buildah = Buildah { dir: bench.path("buildah").display().to_string() };
    let container = buildah.run(&["from", "scratch"]);
    buildah.run(&["copy", &container, tree.to_str().unwrap(), "/"]);
    let config = ["--cmd", "/true", "--user", "me", "--workingdir", "/data", "--env", "A=b c", "--label", "by=buildah"];
    buildah.run(&[&["config"][..], &config, &["--port", "80/tcp", &container]].concat());
    for form in ["oci", "docker"] {
        let archive = bench.path(form).display().to_string();
        let to = format!("{form}-archive:{archive}:built:1");
        buildah.run(&["commit", "--format", form, &container, &to]);
        let other = Bench::new();
        assert_eq!(other.load(Path::new(&archive)), "built:1");
        assert_eq!(other.inspect("built:1"), by_skopeo(&to));
        let found = other.tinbox.tinbox("image inspect built:1").ok();
        let found: Value = serde_json::from_str(&found).unwrap();
        let config = &found[0]["Config"];
        assert_eq!((&config["Cmd"], &config["User"]), (&json!(["/true"]), &json!("me")), "{form}");
        assert_eq!((&config["WorkingDir"], &config["Labels"]["by"]), (&json!("/data"), &json!("buildah")), "{form}");
        assert!(config["Env"].as_array().unwrap().contains(&json!("A=b c")), "{form}: {config}");
        assert_eq!(config["ExposedPorts"], json!({ "80/tcp": {} }), "{form}");
        if form == "oci" {
            let layout = bench.path("layout");
            unpacked(Path::new(&archive), &layout);
            let reference = format!("{}:built:1", layout.display());
            other.listing("built:1", Kept::All).is(&bench.by_umoci(&reference, Kept::All));
        }
    }
}

/// buildah, with a store of its own.
struct Buildah {
    dir: String,
}

impl Buildah {
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        let (root, run) = (format!("{}/root", self.dir), format!("{}/run", self.dir));
        let own = ["--storage-driver=vfs", "--root", &root, "--runroot", &run];
        call("buildah", own.into_iter().chain(arguments.iter().copied())).trim_end().to_owned()
    }
}
