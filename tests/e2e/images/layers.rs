//! `image inspect --layers`.

use serde_json::{Value, json};

use super::sample::{Entry, Sample, alpine};
use super::{pictured, with_samples, without_ids};
use crate::Test;
use crate::support::Tinbox;

pub const TESTS: &[Test] = &[
    ("the_layers_are_drawn_as_they_lie", &[], the_layers_are_drawn_as_they_lie),
    ("the_same_as_data", &[], the_same_as_data),
    ("links_are_not_followed", &[], links_are_not_followed),
    ("what_is_replaced_by_another_kind", &[], what_is_replaced_by_another_kind),
    ("an_image_of_nothing", &[], an_image_of_nothing),
    ("a_hostile_path_is_shown_as_it_is", &[], a_hostile_path_is_shown_as_it_is),
];

fn layers(tinbox: &Tinbox, name: &str) -> Value {
    serde_json::from_str(&tinbox.tinbox(&format!("image inspect --layers --format json {name}")).ok()).unwrap()
}

fn the_layers_are_drawn_as_they_lie() {
    let tinbox = with_samples();
    let drawn = tinbox.tinbox("image inspect --layers web").ok();
    pictured("images-layers", &without_ids(&drawn));
    let widths: Vec<usize> =
        drawn.lines().filter(|line| line.starts_with(['┌', '│', '├', '└'])).map(|line| line.chars().count()).collect();
    assert!(widths.len() > 10 && widths.iter().all(|width| *width == 80), "{widths:?}");
}

fn the_same_as_data() {
    let picture = layers(&with_samples(), "web");
    let of = |layer: usize, field: &str| picture["Layers"][layer][field].clone();
    // Bottom: zoneinfo and terminfo are hidden by an opaque directory, passwd by another of its name.
    assert_eq!((of(0, "Files"), of(0, "Symlinks"), of(0, "Hidden")), (json!(4), json!(1), json!(80_030)));
    // The packages: what was in the cache is deleted above, and still there. Of a file with two names one counts.
    assert_eq!((of(1, "Files"), of(1, "Size"), of(1, "Hidden")), (json!(5), json!(4_550_000), json!(1_500_000)));
    assert_eq!(of(1, "SharedWith"), json!(["tools:latest"]));
    assert_eq!(of(1, "Biggest")[0], json!({ "Path": "usr/lib/libpython3.so", "Size": 3_000_000, "Hidden": false }));
    assert_eq!(of(1, "Biggest")[1], json!({ "Path": "var/cache/apk/python3.apk", "Size": 1_000_000, "Hidden": true }));
    assert_eq!((of(1, "Replaced"), of(1, "Deleted"), of(1, "Hides")), (json!(0), json!(0), json!(0)));
    assert_eq!((of(2, "Files"), of(2, "Replaced"), of(2, "Deleted")), (json!(2), json!(1), json!(2)));
    assert_eq!((of(2, "Hides"), of(2, "Hidden")), (json!(1_580_030), json!(0)));
    assert_eq!((of(2, "CreatedBy"), of(0, "CreatedBy")), (json!("COPY . /"), json!("ADD file:9e0d in /")));
    assert_eq!(picture["Hidden"], json!(1_580_030));
    let steps: Vec<Value> = picture["History"].as_array().unwrap().iter().map(|step| step["Layer"].clone()).collect();
    assert_eq!(steps, [json!(1), Value::Null, json!(2), Value::Null, json!(3), Value::Null]);
}

/// A layer of `below`, and one of `above` on it.
fn two_layers(below: Vec<Entry<'static>>, above: Vec<Entry<'static>>) -> Value {
    let tinbox = Tinbox::without_images();
    Sample { name: "two:1", layers: vec![below, above], history: Value::Null, ..alpine() }.load(&tinbox);
    layers(&tinbox, "two:1")
}

fn links_are_not_followed() {
    // Where the lower layer has a link to the machine's /etc, the upper has a directory with the same names.
    let picture = two_layers(
        vec![Entry::Symlink("etc", "/etc"), Entry::Symlink("up", "../../../../../../../../etc")],
        vec![Entry::Dir("etc"), Entry::File("etc/passwd", 10), Entry::Dir("up"), Entry::File("up/passwd", 10)],
    );
    assert_eq!(picture["Layers"][1]["Hides"], json!(0));
    assert_eq!(picture["Layers"][1]["Replaced"], json!(2));
    assert_eq!(picture["Hidden"], json!(0));
}

fn what_is_replaced_by_another_kind() {
    let picture = two_layers(
        vec![Entry::Dir("a"), Entry::Dir("a/b"), Entry::File("a/b/c", 100), Entry::File("d", 10), Entry::File("e", 5)],
        vec![
            Entry::File("a", 1),
            Entry::Dir("d"),
            Entry::File("d/x", 1),
            Entry::File(".wh.e", 0),
            Entry::File(".wh.none", 0),
        ],
    );
    let top = &picture["Layers"][1];
    assert_eq!((&top["Replaced"], &top["Hides"], &picture["Hidden"]), (&json!(2), &json!(115), &json!(115)));
    assert!(top["Deleted"].as_u64() >= Some(1), "{top}");
}

fn an_image_of_nothing() {
    let tinbox = Tinbox::without_images();
    Sample { name: "nothing:1", layers: vec![vec![Entry::Dir("empty")]], history: json!([]), ..alpine() }.load(&tinbox);
    let drawn = tinbox.tinbox("image inspect --layers nothing:1").ok();
    assert!(drawn.contains("1  (it does not say)") && drawn.contains("only 1 directory"), "{drawn}");
    let ended = tinbox.tinbox("image inspect --layers none nothing:1");
    assert_eq!((ended.status, ended.stderr.as_str()), (1, "Error: No such image: none\n"));
    assert!(ended.stdout.contains("only 1 directory"));
}

fn a_hostile_path_is_shown_as_it_is() {
    let picture = two_layers(vec![Entry::File("\u{1b}[2J", 10)], vec![Entry::File("new\nline", 5)]);
    assert_eq!(picture["Layers"][0]["Biggest"][0]["Path"], "\\u{1b}[2J");
    assert_eq!(picture["Layers"][1]["Biggest"][0]["Path"], "new\\nline");
}
