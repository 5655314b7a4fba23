//! Images go to Debian's `docker-registry` and come back, by Tinbox and by skopeo.

use std::process::Command;

use super::User;
use super::content::{Content, INDEX, append, descriptor, file, gzip};
use super::distribution::Distribution;
use crate::Test;
use crate::import::{archive_of_base, import};
use crate::support::need::Need::{Containers, Program};

const REGISTRY: crate::support::need::Need = Program("docker-registry");
const SKOPEO: crate::support::need::Need = Program("skopeo");

pub const TESTS: &[Test] = &[
    ("an_image_goes_there_and_comes_back", &[REGISTRY, Containers], an_image_goes_there_and_comes_back),
    ("what_is_there_is_not_sent_again", &[REGISTRY], what_is_there_is_not_sent_again),
    ("what_is_here_is_not_fetched_again", &[REGISTRY, SKOPEO], what_is_here_is_not_fetched_again),
    ("all_tags_come_and_go", &[REGISTRY], all_tags_come_and_go),
    ("skopeo_reads_what_was_pushed", &[REGISTRY, SKOPEO], skopeo_reads_what_was_pushed),
    ("what_skopeo_pushed_is_read", &[REGISTRY, SKOPEO], what_skopeo_pushed_is_read),
    ("zstd_is_read_and_kept", &[REGISTRY, SKOPEO, Program("zstd")], zstd_is_read_and_kept),
    ("what_comes_uncompressed_is_taken_too", &[], what_comes_uncompressed_is_taken_too),
    ("an_index_gives_the_platform_that_is_asked_for", &[], an_index_gives_the_platform_that_is_asked_for),
    ("an_image_for_another_machine_is_told", &[], an_image_for_another_machine_is_told),
    ("a_catalog_can_be_searched", &[REGISTRY], a_catalog_can_be_searched),
    ("a_registry_with_a_search_is_asked", &[], a_registry_with_a_search_is_asked),
    ("what_is_not_there_is_named", &[REGISTRY], what_is_not_there_is_named),
];

/// Imports a small image as `name`.
fn small(user: &User, name: &str, content: &str) {
    import(&user.tinbox, name, &file("etc/message", content.as_bytes()));
}

/// Where skopeo looks for credentials. There are none.
const NO_CREDENTIALS: &str = "/nonexistent";

fn skopeo(arguments: &[&str]) -> String {
    let output = Command::new("skopeo").args(arguments).env("XDG_RUNTIME_DIR", NO_CREDENTIALS).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn an_image_goes_there_and_comes_back() {
    let (registry, here, there) = (Distribution::open(), User::new(), User::new());
    let name = registry.name("team/app:1");
    let archive = archive_of_base(&[], |archive| append(archive, "message", b"hello\n"));
    let id = import(&here.tinbox, &name, &archive);
    let pushed = here.run(&format!("push {name}")).ok();
    let lines: Vec<&str> = pushed.lines().collect();
    assert_eq!(lines[0], format!("The push refers to repository [{}]", registry.name("team/app")));
    assert!(lines[1].ends_with(": Preparing") && lines[2].ends_with(": Pushed"), "{pushed}");
    let digest = lines[3].strip_prefix("1: digest: ").and_then(|line| line.split(' ').next()).unwrap();

    let pulled = there.run(&format!("pull {name}")).ok();
    let lines: Vec<&str> = pulled.lines().collect();
    assert_eq!(lines[0], "1: Pulling from team/app");
    assert!(lines[1].ends_with(": Pulling fs layer") && lines[2].ends_with(": Pull complete"), "{pulled}");
    assert_eq!(lines[3], format!("Digest: {digest}"));
    assert_eq!(lines[4], format!("Status: Downloaded newer image for {name}"));
    assert_eq!(lines[5..], [name.as_str()]);
    assert_eq!(there.run(&format!("run --rm {name} cat /message")).ok(), "hello\n");
    let by_digest = registry.name(&format!("team/app@{digest}"));
    assert_eq!(there.run(&format!("pull -q {by_digest}")).ok(), format!("{by_digest}\n"));
    assert_eq!(there.run("images -q --no-trunc").ok(), id);
}

fn what_is_there_is_not_sent_again() {
    let (registry, user) = (Distribution::open(), User::new());
    let (first, second) = (registry.name("first"), registry.name("second:2"));
    small(&user, &first, "x");
    let pushed = user.run(&format!("push {first}")).ok();
    assert!(pushed.starts_with("Using default tag: latest\n") && pushed.contains(": Pushed\n"), "{pushed}");
    let again = user.run(&format!("push {first}")).ok();
    assert!(again.contains(": Layer already exists\n") && !again.contains("Pushed"), "{again}");
    user.run(&format!("tag {first} {second}")).ok();
    let elsewhere = user.run(&format!("push {second}")).ok();
    assert!(elsewhere.contains(": Mounted from first\n") && !elsewhere.contains("Pushed"), "{elsewhere}");
    assert_eq!(user.run(&format!("push -q {second}")).ok(), format!("{second}\n"));
    // The mount is as good as a blob that was sent.
    assert_eq!(User::new().run(&format!("pull -q {second}")).ok(), format!("{second}\n"));
}

fn what_is_here_is_not_fetched_again() {
    let (registry, user, dir) = (Distribution::open(), User::new(), tempfile::tempdir().unwrap());
    let (below, above) = (file("a", b"1"), file("b", b"2"));
    for (name, layers) in [("one", vec![below.clone()]), ("two", vec![below, above])] {
        let layout = dir.path().join(name);
        Content::of(&layers).write_layout(&layout);
        let target = format!("docker://{}", registry.name(&format!("{name}:1")));
        skopeo(&["copy", "-q", "--dest-tls-verify=false", &format!("oci:{}:1", layout.display()), &target]);
    }
    user.run(&format!("pull {}", registry.name("one:1"))).ok();
    let second = user.run(&format!("pull {}", registry.name("two:1"))).ok();
    assert_eq!(second.matches(": Already exists").count(), 1, "{second}");
    assert_eq!(second.matches(": Pull complete").count(), 1, "{second}");
    let again = user.run(&format!("pull {}", registry.name("two:1"))).ok();
    let lines: Vec<&str> = again.lines().collect();
    assert!(lines[1].starts_with("Digest: ") && lines[2].starts_with("Status: Image is up to date for "), "{again}");
}

fn all_tags_come_and_go() {
    let (registry, here, there) = (Distribution::open(), User::new(), User::new());
    for tag in ["a", "b"] {
        small(&here, &registry.name(&format!("app:{tag}")), tag);
    }
    let app = registry.name("app");
    here.run(&format!("push -a {app}")).ok();
    let pulled = there.run(&format!("pull -a {app}")).ok();
    assert!(pulled.contains("a: Pulling from app\n") && pulled.contains("b: Pulling from app\n"), "{pulled}");
    assert!(pulled.ends_with(&format!("\n{app}\n")), "{pulled}");
    assert_eq!(there.run("images -q").ok().lines().count(), 2);
    let error = there.run(&format!("pull -a {}", registry.name("nothing"))).fails(1);
    assert!(error.contains("repository does not exist or may require 'tinbox login'"), "{error}");
    let error = there.run(&format!("pull -a {app}:a")).fails(1);
    assert!(error.contains("tag can't be used with --all-tags/-a"), "{error}");
    let error = there.run(&format!("push -a {}", registry.name("nothing"))).fails(1);
    assert!(error.contains("An image does not exist locally with the tag"), "{error}");
}

fn skopeo_reads_what_was_pushed() {
    let (registry, user, dir) = (Distribution::open(), User::new(), tempfile::tempdir().unwrap());
    let name = registry.name("app:1");
    small(&user, &name, "x");
    let pushed = user.run(&format!("push {name}")).ok();
    let source = format!("docker://{name}");
    let inspected = skopeo(&["inspect", "--tls-verify=false", &source]);
    let inspected: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    assert!(pushed.contains(inspected["Digest"].as_str().unwrap()), "{pushed} {inspected}");
    // A copy verifies all digests, and a change of format reads the config.
    let target = format!("docker-archive:{}", dir.path().join("copy.tar").display());
    skopeo(&["copy", "-q", "--src-tls-verify=false", &source, &target]);
}

fn what_skopeo_pushed_is_read() {
    let (registry, dir) = (Distribution::open(), tempfile::tempdir().unwrap());
    Content::of(&[file("a", b"1"), file("b", b"2")]).write_layout(dir.path());
    let source = format!("oci:{}:1", dir.path().display());
    for format in ["oci", "v2s2"] {
        let (user, name) = (User::new(), registry.name(&format!("app:{format}")));
        skopeo(&["copy", "-q", "--dest-tls-verify=false", "-f", format, &source, &format!("docker://{name}")]);
        let pulled = user.run(&format!("pull {name}")).ok();
        // What is pushed again is the very same, with Docker's types where they were Docker's.
        let digest = pulled.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap();
        let copy = registry.name(&format!("copy:{format}"));
        user.run(&format!("tag {name} {copy}")).ok();
        let pushed = user.run(&format!("push {copy}")).ok();
        assert!(pushed.contains(&format!("{format}: digest: {digest} ")), "{pushed}");
        let raw = skopeo(&["inspect", "--raw", "--tls-verify=false", &format!("docker://{copy}")]);
        assert_eq!(raw.contains("vnd.docker.distribution.manifest.v2+json"), format == "v2s2", "{raw}");
    }
}

fn zstd_is_read_and_kept() {
    let (registry, user, dir) = (Distribution::open(), User::new(), tempfile::tempdir().unwrap());
    let zstd = |tar: &[u8]| {
        let (plain, packed) = (dir.path().join("tar"), dir.path().join("tar.zst"));
        std::fs::write(&plain, tar).unwrap();
        assert!(Command::new("zstd").arg("-qf").args([&plain, &packed]).status().unwrap().success());
        (std::fs::read(packed).unwrap(), "application/vnd.oci.image.layer.v1.tar+zstd".to_owned())
    };
    let content = Content::with(&[file("a", b"1")], std::env::consts::ARCH, &zstd);
    let layout = dir.path().join("layout");
    content.write_layout(&layout);
    let name = registry.name("app:zstd");
    let target = format!("docker://{name}");
    skopeo(&["copy", "-q", "--dest-tls-verify=false", &format!("oci:{}:1", layout.display()), &target]);
    user.run(&format!("pull {name}")).ok();
    let copy = registry.name("copy:zstd");
    user.run(&format!("tag {name} {copy}")).ok();
    user.run(&format!("push {copy}")).ok();
    let raw = skopeo(&["inspect", "--raw", "--tls-verify=false", &format!("docker://{copy}")]);
    assert!(raw.contains(&content.layer(0).to_string()), "{raw}");
}

fn what_comes_uncompressed_is_taken_too() {
    let content = Content::with(&[file("a", b"1"), file("b", b"2")], std::env::consts::ARCH, &|tar| {
        (tar.to_vec(), "application/vnd.oci.image.layer.v1.tar".to_owned())
    });
    let digest = content.digest();
    let server = super::http::Server::start(move |request| content.answer(request));
    let (user, name) = (User::new(), format!("{}/app:1", server.address));
    let pulled = user.run(&format!("pull {name}")).ok();
    assert!(pulled.contains(&format!("Digest: {digest}\nStatus: Downloaded newer")), "{pulled}");
    let pulled = user.run(&format!("pull {name}")).ok();
    assert!(pulled.contains(&format!("Digest: {digest}\nStatus: Image is up to date")), "{pulled}");
    user.run(&format!("history {}/app@{digest}", server.address)).ok();
}

fn an_index_gives_the_platform_that_is_asked_for() {
    let platform = |architecture: &str| {
        let mut image = Content::with(&[file("arch", architecture.as_bytes())], architecture, &|tar| {
            (gzip(tar), "application/vnd.oci.image.layer.v1.tar+gzip".to_owned())
        });
        image.blobs.insert(image.digest(), image.manifest.0.clone());
        let mut entry = descriptor(image.manifest.1, &image.manifest.0);
        entry["platform"] = serde_json::json!({ "os": "linux", "architecture": architecture });
        (image, entry)
    };
    let (mut content, amd64) = platform("amd64");
    let (other, arm64) = platform("arm64");
    content.blobs.extend(other.blobs);
    let index = serde_json::json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [amd64, arm64] });
    content.manifest = (index.to_string().into_bytes(), INDEX);
    let digest = content.digest();
    let server = super::http::Server::start(move |request| content.answer(request));
    let name = format!("{}/app:1", server.address);
    for architecture in ["amd64", "arm64"] {
        let user = User::new();
        let pulled = user.run(&format!("pull --platform linux/{architecture} {name}")).ok();
        assert!(pulled.contains(&format!("Digest: {digest}\n")), "{pulled}");
        let layer = user.stored("layers")[0].join("tree/arch");
        assert_eq!(std::fs::read_to_string(layer).unwrap(), architecture);
        let format = "{{.Digest}}";
        let listed = user.command("images --digests --format").arg(format).output().unwrap();
        assert_eq!(String::from_utf8(listed.stdout).unwrap().trim(), digest.to_string());
    }
    let ended = User::new().run(&format!("pull --platform linux/s390x {name}"));
    assert!(ended.stderr.contains("no matching manifest for linux/s390x in the manifest list entries"), "{ended:?}");
    let ended = User::new().run(&format!("pull --platform linux/a/b/c {name}"));
    assert!(ended.status == 1 && ended.stderr.contains("invalid platform"), "{ended:?}");
}

fn an_image_for_another_machine_is_told() {
    let content = Content::with(&[file("a", b"1")], "s390x", &|tar| {
        (gzip(tar), "application/vnd.oci.image.layer.v1.tar+gzip".to_owned())
    });
    let server = super::http::Server::start(move |request| content.answer(request));
    let ended = User::new().run(&format!("pull {}/app:1", server.address));
    assert!(ended.status == 0 && ended.stderr.contains("(linux/s390x) does not match"), "{ended:?}");
    let ended = User::new().run(&format!("pull --platform linux/arm64 {}/app:1", server.address));
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("wanted linux/arm64, actual: linux/s390x"), "{ended:?}");
}

fn a_catalog_can_be_searched() {
    let (registry, user) = (Distribution::open(), User::new());
    for name in ["one/app", "two/app", "other"] {
        let name = registry.name(name);
        small(&user, &name, "x");
        user.run(&format!("push -q {name}")).ok();
    }
    let found = user.command("search --format {{.Name}}").arg(registry.name("app")).output().unwrap();
    let expected = format!("{}\n{}\n", registry.name("one/app"), registry.name("two/app"));
    assert_eq!(String::from_utf8(found.stdout).unwrap(), expected);
}

fn a_registry_with_a_search_is_asked() {
    let server = super::http::Server::start(|request| match request.path.as_str() {
        "/v1/search?q=a%20b&n=3" => super::http::Answer::ok(
            r#"{"results":[
                {"name":"first","description":"what\u001b[2J it is","star_count":7,"is_official":true},
                {"name":"second","description":null,"star_count":2}
            ]}"#,
        ),
        _ => super::http::Answer::ok("{}"),
    });
    let search = |options: &str| {
        let user = User::new();
        let mut command = user.command(&format!("search --limit 3 {options}"));
        super::Ended::of(command.arg(format!("{}/a b", server.address)).output().unwrap())
    };
    let table = search("").ok();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("NAME ") && lines[0].contains("STARS"), "{table}");
    assert!(lines[1].starts_with(&format!("{}/first ", server.address)) && lines[1].contains("[OK]"), "{table}");
    assert_eq!(search("--filter stars=5 --format {{.StarCount}}").ok(), "7\n");
    assert_eq!(search("--filter is-official=false --format {{.StarCount}}").ok(), "2\n");
    assert!(search("--filter nonsense=1").fails(1).contains("invalid filter 'nonsense'"));
    assert!(search("--limit 101").fails(1).contains("Limit 101 is outside the range of [1, 100]"));
}

fn what_is_not_there_is_named() {
    let (registry, user) = (Distribution::open(), User::new());
    let name = registry.name("app:1");
    let error = user.run(&format!("pull {name}")).fails(1);
    assert_eq!(error, format!("tinbox: manifest for {name} not found: manifest unknown: manifest unknown\n"));
    let error = user.run(&format!("push {name}")).fails(1);
    assert_eq!(error, format!("tinbox: An image does not exist locally with the tag: {name}\n"));
    user.has_no_image();
}
