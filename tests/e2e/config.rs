//! What an image says about how it is started, and what the user may say against it.

use std::fs;

use images::oci::{Config, Healthcheck};
use images::{Name, Store};
use serde_json::{Value, json};

use crate::Test;
use crate::support::need::Need::Containers;
use crate::support::{Ended, Tinbox};

pub const TESTS: &[Test] = &[
    ("entrypoint_and_command", &[Containers], entrypoint_and_command),
    ("environment_directory_and_user", &[Containers], environment_directory_and_user),
    ("what_is_only_said_is_shown", &[Containers], what_is_only_said_is_shown),
    ("a_volume_is_not_part_of_the_layer", &[Containers], a_volume_is_not_part_of_the_layer),
    ("a_volume_that_cannot_be_is_refused", &[Containers], a_volume_that_cannot_be_is_refused),
    ("a_volume_does_not_cover_what_makes_a_container", &[Containers], a_volume_does_not_cover_what_makes_a_container),
    ("more_than_the_kernel_takes_is_refused", &[Containers], more_than_the_kernel_takes_is_refused),
    ("what_an_image_says_is_not_said_at_length", &[Containers], what_an_image_says_is_not_said_at_length),
    ("a_volume_does_not_hide_what_is_mounted_later", &[Containers], a_volume_does_not_hide_what_is_mounted_later),
    ("an_image_has_no_say_about_your_variables", &[Containers], an_image_has_no_say_about_your_variables),
    ("an_image_cannot_repaint_the_terminal", &[Containers], an_image_cannot_repaint_the_terminal),
    ("an_image_for_another_machine_is_said_to_be", &[Containers], an_image_for_another_machine_is_said_to_be),
    ("an_image_is_wanted_by_id_too", &[Containers], an_image_is_wanted_by_id_too),
    ("more_layers_than_the_kernel_takes_names", &[Containers], more_layers_than_the_kernel_takes_names),
];

/// A Tinbox with an image `app`: the layers of the embedded one, with this config.
fn with(config: Config) -> Tinbox {
    let tinbox = Tinbox::without_images();
    tinbox.tinbox("run --rm base true").ok();
    let store = Store::open(&tinbox.path("images"));
    let base = store.find(&Name::base()).unwrap().unwrap();
    let layers = base.layers.iter().map(|layer| layer.descriptor.clone()).collect();
    let mut whole = base.config;
    whole.config = config;
    store.write().unwrap().commit_new(&whole, layers, &[Name::parse("app").unwrap()]).unwrap();
    tinbox
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn entrypoint_and_command() {
    let config = Config { entrypoint: words(&["echo", "from"]), cmd: words(&["the image"]), ..Config::default() };
    let tinbox = with(config);
    assert_eq!(tinbox.tinbox("run --rm app").ok(), "from the image\n");
    assert_eq!(tinbox.tinbox("run --rm app you").ok(), "from you\n");
    assert_eq!(tinbox.tinbox("run --rm --entrypoint hostname -h other app").ok(), "other\n");
    assert_eq!(tinbox.tinbox("run --rm --entrypoint= app echo plain").ok(), "plain\n");
    let error = tinbox.tinbox("run --rm --entrypoint= app").fails(125);
    assert!(error.contains("no command specified"), "{error}");
}

fn environment_directory_and_user() {
    let env = words(&["A=image", "PATH=/usr/bin:/bin:/extra", "B=image"]);
    let config = Config { env, working_dir: "/srv/app".into(), user: "nobody".into(), ..Config::default() };
    let tinbox = with(config);
    let script = "id -u; pwd; echo $A $B $PATH $HOME";
    let mut command = tinbox.command(["run", "--rm", "-e", "B=mine", "app", "sh", "-c", script]);
    assert_eq!(Ended::of(command.output().unwrap()).ok(), "65534\n/srv/app\nimage mine /usr/bin:/bin:/extra /\n");
    assert_eq!(tinbox.tinbox("run --rm -u 0 -w /tmp app pwd").ok(), "/tmp\n");
    assert_eq!(tinbox.tinbox("run --rm -u 0 app id -u").ok(), "0\n");
}

fn what_is_only_said_is_shown() {
    let config = Config {
        cmd: words(&["true"]),
        exposed_ports: [("80/tcp".into(), json!({}))].into(),
        labels: [("a".into(), "image".into()), ("b".into(), "image".into())].into(),
        stop_signal: Some("SIGUSR1".into()),
        healthcheck: Some(Healthcheck {
            test: words(&["CMD", "true"]),
            interval: 5_000_000_000,
            ..Healthcheck::default()
        }),
        ..Config::default()
    };
    let tinbox = with(config);
    tinbox.tinbox("run --name said -l b=mine --label c app").ok();
    let shown: Value = serde_json::from_str(&tinbox.tinbox("inspect said").ok()).unwrap();
    let config = &shown[0]["Config"];
    assert_eq!(config["Labels"], json!({ "a": "image", "b": "mine", "c": "" }));
    assert_eq!(config["ExposedPorts"], json!({ "80/tcp": {} }));
    assert_eq!(config["StopSignal"], "SIGUSR1");
    assert_eq!(config["Healthcheck"]["Interval"], 5_000_000_000_u64);
    tinbox.tinbox("run --name other --stop-signal INT app").ok();
    let shown: Value = serde_json::from_str(&tinbox.tinbox("inspect other").ok()).unwrap();
    assert_eq!(shown[0]["Config"]["StopSignal"], "INT");
}

fn a_volume_is_not_part_of_the_layer() {
    let volumes = [("/etc".into(), json!({})), ("/new/data".into(), json!({}))].into();
    let tinbox = with(Config { volumes, ..Config::default() });
    let script = "cat /etc/passwd; echo kept > /new/data/file; echo kept > /etc/file; echo layer > /file";
    let output = tinbox.command(["run", "--name", "writes", "app", "sh", "-c", script]).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("root:"), "it begins as what the image has there");
    let container = fs::read_dir(tinbox.path("containers")).unwrap().next().unwrap().unwrap().path();
    assert!(container.join("upper/file").exists() && !container.join("upper/etc/file").exists());
    assert!(!container.join("upper/new/data/file").exists() && container.join("volumes").is_dir());
    // Another container has its own.
    assert_eq!(tinbox.tinbox("run --rm app ls /new/data").ok(), "");
    tinbox.tinbox("rm writes").ok();
    assert!(tinbox.leftovers().is_empty());
}

fn a_volume_that_cannot_be_is_refused() {
    let tinbox = with(Config { volumes: [("/../../tmp".into(), json!({}))].into(), ..Config::default() });
    let error = tinbox.tinbox("run --rm app true").fails(125);
    assert!(error.contains("its path must be absolute, and not /"), "{error}");
    assert!(tinbox.leftovers().is_empty());
}

/// As root, a copy of the machine's `/proc` or `/sys` would be read (CVE-2019-16884 was a mount over `/proc`).
fn a_volume_does_not_hide_what_is_mounted_later() {
    let volumes = ["/proc/self", "/sys/fs/cgroup", "/dev/shm"].map(|path| (path.to_owned(), json!({}))).into();
    let tinbox = with(Config { volumes, cmd: words(&["cat", "/proc/self/mounts"]), ..Config::default() });
    let mounts = tinbox.tinbox("run --rm app").ok();
    for (path, kind) in [("/proc", "proc"), ("/sys", "sysfs"), ("/dev", "tmpfs")] {
        let of_path = |line: &&str| line.split(' ').nth(1) == Some(path);
        let last = mounts.lines().rfind(of_path).unwrap_or_else(|| panic!("{path}: {mounts}"));
        assert_eq!(last.split(' ').nth(2), Some(kind), "{mounts}");
    }
}

fn an_image_has_no_say_about_your_variables() {
    let tinbox = with(Config { env: words(&["SECRET", "=x", "A=1"]), cmd: words(&["env"]), ..Config::default() });
    let mut command = tinbox.command(["run", "--name", "asks", "app"]);
    let said = Ended::of(command.env("SECRET", "told").output().unwrap()).ok();
    assert!(said.contains("A=1") && !said.contains("SECRET") && !said.contains("told"), "{said}");
    assert!(!tinbox.tinbox("inspect asks").ok().contains("told"));
}

fn an_image_cannot_repaint_the_terminal() {
    let evil = "\u{1b}]0;x\u{7}\u{1b}[31m\u{9b}2J";
    let of = |config: Config| with(config).tinbox("run --rm app").stderr;
    let said = [
        of(Config { user: evil.into(), ..Config::default() }),
        of(Config { working_dir: format!("relative{evil}"), cmd: words(&["true"]), ..Config::default() }),
        of(Config { entrypoint: words(&[&format!("/x{evil}")]), ..Config::default() }),
        of(Config { env: words(&[&format!("PATH=/{evil}")]), cmd: words(&["nope"]), ..Config::default() }),
    ];
    for said in said {
        assert!(said.starts_with("tinbox: ") && !said.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{said:?}");
    }
}

fn an_image_for_another_machine_is_said_to_be() {
    let tinbox = with(Config { cmd: words(&["echo", "ran"]), ..Config::default() });
    let store = Store::open(&tinbox.path("images"));
    let image = store.find(&Name::parse("app").unwrap()).unwrap().unwrap();
    let mut config = image.config;
    config.architecture = "s390x".into();
    let layers = image.layers.into_iter().map(|layer| layer.descriptor).collect();
    let name = Name::parse("127.0.0.1:1/app").unwrap();
    store.write().unwrap().commit_new(&config, layers, &[name]).unwrap();
    let ended = tinbox.tinbox("run --rm 127.0.0.1:1/app");
    assert!(ended.stderr.contains("does not match the detected host platform"), "{ended:?}");
    // Asked for this machine's, it is not the right one, and another is looked for.
    let here = images::oci::Platform::here();
    let error = tinbox.tinbox(&format!("run --rm --platform {here} 127.0.0.1:1/app")).fails(125);
    assert!(error.contains("could not be reached"), "{error}");
    assert_eq!(tinbox.tinbox("run --rm --platform linux/s390x 127.0.0.1:1/app").ok(), "ran\n");
}

fn an_image_is_wanted_by_id_too() {
    let tinbox = with(Config { cmd: words(&["echo", "found"]), ..Config::default() });
    let id = Store::open(&tinbox.path("images")).find(&Name::parse("app").unwrap()).unwrap().unwrap().id;
    for wanted in [id.to_string(), id.hex(), id.short()] {
        assert_eq!(tinbox.tinbox(&format!("run --rm {wanted}")).ok(), "found\n", "{wanted}");
    }
}

/// The kernel takes one page of options, and each layer is called by 64 digits and a path.
fn more_layers_than_the_kernel_takes_names() {
    let tinbox = with(Config { cmd: words(&["cat", "/number"]), ..Config::default() });
    stack(&tinbox, "many", (0..100).map(|number| one_file("number", &format!("{number}\n"))));
    assert_eq!(tinbox.tinbox("run --rm many").ok(), "99\n");
}

/// Stores `name`: the image `app` with these layers on top.
fn stack(tinbox: &Tinbox, name: &str, layers: impl Iterator<Item = Vec<u8>>) {
    let store = Store::open(&tinbox.path("images"));
    let app = store.find(&Name::parse("app").unwrap()).unwrap().unwrap();
    let writer = store.write().unwrap();
    let (mut config, mut below) = (app.config.clone(), app.chain_id());
    let mut stacked: Vec<_> = app.layers.iter().map(|layer| layer.descriptor.clone()).collect();
    for tar in layers {
        let received = writer.receive(&mut &tar[..], &images::Expected::default(), images::apply_layer).unwrap();
        let placed = writer.place(received, below.as_ref()).unwrap();
        below = Some(placed.chain_id);
        config.rootfs.diff_ids.push(placed.diff_id);
        stacked.push(placed.descriptor);
    }
    writer.commit_new(&config, stacked, &[Name::parse(name).unwrap()]).unwrap();
}

fn one_file(name: &str, content: &str) -> Vec<u8> {
    let (mut tar, mut header) = (tar::Builder::new(Vec::new()), tar::Header::new_gnu());
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, content.as_bytes()).unwrap();
    tar.into_inner().unwrap()
}

fn one_link(name: &str, to: &str) -> Vec<u8> {
    let (mut tar, mut header) = (tar::Builder::new(Vec::new()), tar::Header::new_gnu());
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, name, to).unwrap();
    tar.into_inner().unwrap()
}

fn a_volume_does_not_cover_what_makes_a_container() {
    for (path, link, covered) in [
        ("/x", "/", "/"),
        ("/x", "proc", "/proc"),
        ("/x/./", "../../sys", "/sys"),
        ("/x", "/dev", "/dev"),
        ("/dev", "unused", "/dev"),
    ] {
        let tinbox = with(Config { volumes: [(path.into(), json!({}))].into(), ..Config::default() });
        stack(&tinbox, "linked", std::iter::once(one_link("x", link)));
        let error = tinbox.tinbox("run --rm linked true").fails(125);
        assert!(error.ends_with(&format!("it leads to {covered}, where no volume can be\n")), "{error}");
        assert!(tinbox.leftovers().is_empty());
    }
}

fn more_than_the_kernel_takes_is_refused() {
    let (many, long) = ((0..200_000).map(|n| format!("{n}=v")).collect(), vec![format!("A={}", "x".repeat(200_000))]);
    let volumes = (0..30_000).map(|n| (format!("/{n}"), json!({}))).collect();
    for (config, says) in [
        (Config { env: many, ..Config::default() }, "argument list too long: the command and its environment"),
        (Config { env: long, ..Config::default() }, "has 200002 bytes, and the kernel takes 131071 at most"),
        (Config { volumes, ..Config::default() }, "the image has 30000 volumes: a container can have 128 at most"),
    ] {
        let tinbox = with(config);
        let error = tinbox.tinbox("run --rm app true").fails(125);
        assert!(error.contains(says) && error.len() < 1000, "{error}");
        assert!(tinbox.leftovers().is_empty());
    }
}

fn what_an_image_says_is_not_said_at_length() {
    let long = "a".repeat(100_000);
    for config in [
        Config { user: long.clone(), ..Config::default() },
        Config { working_dir: long.clone(), ..Config::default() },
        Config { working_dir: format!("/{long}"), ..Config::default() },
        Config { volumes: [(format!("/{long}"), json!({}))].into(), ..Config::default() },
        Config { entrypoint: words(&[&long]), env: vec![format!("PATH=/{long}")], ..Config::default() },
        Config { entrypoint: vec![format!("/{long}")], ..Config::default() },
    ] {
        let tinbox = with(config);
        let ended = tinbox.tinbox("run --rm app true");
        assert!(ended.status >= 125 && ended.stderr.len() < 1000, "{} {}", ended.status, ended.stderr);
    }
}
