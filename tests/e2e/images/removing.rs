//! `tag`, `rmi` and `image prune`.

use std::fs;
use std::path::PathBuf;

use super::sample::{fed, web};
use super::{formatted, with_samples};
use crate::Test;
use crate::support::need::Need::Containers;
use crate::support::{Ended, Tinbox};

pub const TESTS: &[Test] = &[
    ("a_tag_is_one_more_name", &[], a_tag_is_one_more_name),
    ("an_image_goes_with_its_last_name", &[], an_image_goes_with_its_last_name),
    ("layers_that_others_have_stay", &[], layers_that_others_have_stay),
    ("several_names_must_be_forced", &[], several_names_must_be_forced),
    ("what_is_not_there_is_said", &[], what_is_not_there_is_said),
    ("a_containers_image_stays", &[Containers], a_containers_image_stays),
    ("a_running_containers_image_cannot_be_removed", &[Containers], a_running_containers_image_cannot_be_removed),
    ("prune_removes_what_has_no_name", &[], prune_removes_what_has_no_name),
    ("prune_all_removes_what_is_not_used", &[Containers], prune_all_removes_what_is_not_used),
    ("prune_asks_first", &[], prune_asks_first),
];

/// Blobs and layers.
fn contents(tinbox: &Tinbox) -> Vec<PathBuf> {
    let listed = |dir: &str| fs::read_dir(tinbox.path(dir)).into_iter().flatten().flatten().map(|entry| entry.path());
    ["images/blobs/sha256", "images/layers", "images/tmp"].iter().flat_map(|dir| listed(dir)).collect()
}

fn names(tinbox: &Tinbox) -> String {
    formatted(tinbox, "images", "{{.Repository}}:{{.Tag}}", &[]).replace('\n', " ").trim_end().to_owned()
}

fn a_tag_is_one_more_name() {
    let tinbox = with_samples();
    assert_eq!(tinbox.tinbox("tag web me/web:1").ok(), "");
    let id = tinbox.tinbox("images -q web").ok();
    assert_eq!(tinbox.tinbox("images -q me/web").ok(), id);
    assert_eq!(tinbox.tinbox(&format!("image tag {} localhost:5000/x", id.trim())).ok(), "");
    assert_eq!(names(&tinbox), "tools:latest web:latest me/web:1 localhost:5000/x:latest alpine:3");
    for (arguments, why) in [
        ("tag nothing x", "No such image: nothing"),
        ("tag web UPPER", "must be lowercase"),
        ("tag web a:b:c", "invalid reference format"),
    ] {
        assert!(tinbox.tinbox(arguments).fails(1).contains(why), "{arguments}");
    }
    let digest = format!("web@sha256:{}", "0".repeat(64));
    assert!(tinbox.tinbox(&format!("tag web {digest}")).fails(1).contains("refusing to create a tag with a digest"));
}

fn an_image_goes_with_its_last_name() {
    let tinbox = Tinbox::without_images();
    web().load(&tinbox);
    tinbox.tinbox("tag web other").ok();
    assert_eq!(tinbox.tinbox("rmi web").ok(), "Untagged: web:latest\n");
    let id = formatted(&tinbox, "inspect", "{{.Id}}", &["other"]);
    let removed = tinbox.tinbox("rmi other").ok();
    let lines: Vec<&str> = removed.lines().collect();
    assert_eq!(lines[..2], ["Untagged: other:latest", &format!("Deleted: {}", id.trim())]);
    // The layers from the top down; the lowest is called by its diff id.
    assert_eq!(lines.len(), 5, "{removed}");
    assert!(lines[2..].iter().all(|line| line.starts_with("Deleted: sha256:")), "{removed}");
    assert_eq!(contents(&tinbox), Vec::<PathBuf>::new());
    assert_eq!(names(&tinbox), "");
}

fn layers_that_others_have_stay() {
    let tinbox = with_samples();
    let removed = tinbox.tinbox("image rm web tools").ok();
    // Each goes with the layer that it alone has left: its top one, and for the last the one that both had.
    let deleted = removed.lines().filter(|line| line.starts_with("Deleted")).count();
    assert_eq!(deleted, 2 + 3, "{removed}");
    assert_eq!(names(&tinbox), "alpine:3");
    let (manifest, config, blob, layer) = (1, 1, 1, 1);
    assert_eq!(contents(&tinbox).len(), manifest + config + blob + layer);
    assert_eq!(formatted(&tinbox, "history", "{{.Size}}", &["alpine:3"]), "0B\n880kB\n");
}

fn several_names_must_be_forced() {
    let tinbox = with_samples();
    tinbox.tinbox("tag web other").ok();
    let id = tinbox.tinbox("images -q web").ok().trim().to_owned();
    let error = tinbox.tinbox(&format!("rmi {id}")).fails(1);
    assert_eq!(
        error,
        format!(
            "tinbox: conflict: unable to delete {id} (must be forced) - image is referenced in multiple repositories\n"
        )
    );
    assert_eq!(names(&tinbox), "tools:latest other:latest web:latest alpine:3");
    let removed = tinbox.tinbox(&format!("rmi -f {id}")).ok();
    assert!(removed.starts_with("Untagged: other:latest\nUntagged: web:latest\nDeleted: sha256:"), "{removed}");
    assert_eq!(names(&tinbox), "tools:latest alpine:3");
}

fn what_is_not_there_is_said() {
    let tinbox = with_samples();
    let ended = tinbox.tinbox("rmi nothing alpine:3 alpine:4");
    assert_eq!(ended.status, 1);
    assert_eq!(ended.stderr, "tinbox: No such image: nothing\ntinbox: No such image: alpine:4\n");
    assert!(ended.stdout.starts_with("Untagged: alpine:3\n"), "{}", ended.stdout);
    let forced = tinbox.tinbox("rmi -f nothing");
    assert_eq!((forced.status, forced.stderr.as_str()), (0, "tinbox: No such image: nothing\n"));
}

/// A Tinbox whose images are its own, with a container of `app`, an image like the embedded one.
fn with_container(name: &str) -> Tinbox {
    let tinbox = Tinbox::without_images();
    tinbox.tinbox("run --rm base true").ok();
    tinbox.tinbox("tag base app").ok();
    tinbox.tinbox("rmi base").ok();
    tinbox.tinbox(&format!("run --name {name} app true")).ok();
    tinbox
}

fn a_containers_image_stays() {
    let tinbox = with_container("one");
    let (image, container) = (tinbox.tinbox("images -q").ok(), tinbox.tinbox("ps -aq").ok());
    let (image, container) = (image.trim(), container.trim());
    let error = tinbox.tinbox("rmi app").fails(1);
    assert_eq!(
        error,
        format!(
            "tinbox: conflict: unable to remove repository reference \"app:latest\" (must force) - container {container} \
             is using its referenced image {image}\n"
        )
    );
    let error = tinbox.tinbox(&format!("rmi {image}")).fails(1);
    let why =
        format!("unable to delete {image} (must be forced) - image is being used by stopped container {container}");
    assert!(error.contains(&why), "{error}");
    // Forced, it loses its name, and is still there.
    assert_eq!(tinbox.tinbox("rmi -f app").ok(), "Untagged: app:latest\n");
    assert_eq!(names(&tinbox), "<none>:<none>");
    assert!(tinbox.tinbox(&format!("rmi -f {image}")).fails(1).contains("(cannot be forced)"));
    assert_eq!(tinbox.tinbox("image prune -f").ok(), "Total reclaimed space: 0B\n");
    assert_eq!(names(&tinbox), "<none>:<none>");
    tinbox.tinbox("rm one").ok();
    let pruned = tinbox.tinbox("image prune -f").ok();
    assert!(pruned.starts_with(&format!("Deleted Images:\ndeleted: sha256:{image}")), "{pruned}");
    assert_eq!(contents(&tinbox), Vec::<PathBuf>::new());
}

fn a_running_containers_image_cannot_be_removed() {
    let tinbox = Tinbox::without_images();
    let running = tinbox.start("--name two", "echo ready; cat; ls /bin/sh");
    let image = tinbox.tinbox("images -q").ok();
    let error = tinbox.tinbox(&format!("rmi -f {image}")).fails(1);
    assert!(error.contains("(cannot be forced) - image is being used by running container"), "{error}");
    // Its name can go.
    assert_eq!(tinbox.tinbox("rmi -f base").ok(), "Untagged: tinbox/base:latest\n");
    assert_eq!(running.end(), 0);
}

fn prune_removes_what_has_no_name() {
    let tinbox = with_samples();
    tinbox.tinbox("tag tools web").ok();
    let pruned = tinbox.tinbox("image prune --force").ok();
    let lines: Vec<&str> = pruned.lines().collect();
    assert_eq!(lines[0], "Deleted Images:");
    assert!(lines[1].starts_with("deleted: sha256:") && lines[2].starts_with("deleted: sha256:"), "{pruned}");
    assert_eq!(lines[3], "");
    assert!(lines[4].starts_with("Total reclaimed space: ") && lines[4].ends_with("kB"), "{pruned}");
    assert_eq!(names(&tinbox), "tools:latest web:latest alpine:3");
    assert_eq!(tinbox.tinbox("image prune -f").ok(), "Total reclaimed space: 0B\n");
    for (arguments, left) in [
        ("--filter until=2026-01-15", "tools:latest web:latest"),
        ("--filter label!=version", "tools:latest web:latest"),
        ("--filter label=version=2.0", ""),
    ] {
        let pruned = tinbox.tinbox(&format!("image prune -a -f {arguments}")).ok();
        assert_eq!(names(&tinbox), left, "{arguments}: {pruned}");
    }
    assert_eq!(contents(&tinbox), Vec::<PathBuf>::new());
}

fn prune_all_removes_what_is_not_used() {
    let tinbox = with_container("three");
    web().load(&tinbox);
    let pruned = tinbox.tinbox("image prune -a -f").ok();
    assert!(pruned.contains("untagged: web:latest\ndeleted: sha256:"), "{pruned}");
    assert_eq!(names(&tinbox), "app:latest");
    tinbox.tinbox("run --rm app true").ok();
}

fn prune_asks_first() {
    let tinbox = with_samples();
    for (answer, left) in [("", 3), ("n\n", 3), ("y\n", 0)] {
        let ended: Ended = fed(tinbox.command(["image", "prune", "-a"]), answer.as_bytes());
        assert_eq!(ended.status, 0);
        assert!(ended.stderr.starts_with("WARNING! This will remove all images without"), "{}", ended.stderr);
        assert!(ended.stderr.ends_with("Are you sure you want to continue? [y/N] "), "{}", ended.stderr);
        assert_eq!(ended.stdout.is_empty(), left == 3, "{}", ended.stdout);
        assert_eq!(tinbox.tinbox("images -q").ok().lines().count(), left, "{answer:?}");
    }
}
