//! `images`, `history`, and `--format`.

use super::sample::{Sample, alpine};
use super::{formatted, pictured, with_samples, without_ids};
use crate::Test;
use crate::support::{Ended, Tinbox};

pub const TESTS: &[Test] = &[
    ("they_are_listed_newest_first", &[], they_are_listed_newest_first),
    ("each_tag_has_a_line", &[], each_tag_has_a_line),
    ("switches_take_a_value", &[], switches_take_a_value),
    ("names_and_filters_choose", &[], names_and_filters_choose),
    ("a_template_says_what_is_shown", &[], a_template_says_what_is_shown),
    ("a_bad_template_is_refused_in_dockers_words", &[], a_bad_template_is_refused_in_dockers_words),
    ("an_image_that_lost_its_name_is_dangling", &[], an_image_that_lost_its_name_is_dangling),
    ("the_tree_shows_what_is_shared", &[], the_tree_shows_what_is_shared),
    ("history_tells_each_step", &[], history_tells_each_step),
    ("a_hostile_step_cannot_repaint_the_terminal", &[], a_hostile_step_cannot_repaint_the_terminal),
    ("every_verb_teaches", &[], every_verb_teaches),
];

fn they_are_listed_newest_first() {
    let tinbox = with_samples();
    let table = tinbox.tinbox("images").ok();
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]);
    let names: Vec<&str> = lines[1..].iter().map(|line| line[0]).collect();
    assert_eq!(names, ["tools", "web", "alpine"]);
    assert_eq!(lines[3][..2], ["alpine", "3"]);
    assert_eq!(lines[3].last(), Some(&"880kB"));
    assert_eq!(tinbox.tinbox("image ls").ok(), table);
    let ids = tinbox.tinbox("images -q").ok();
    assert!(ids.lines().all(|id| id.len() == 12) && ids.lines().count() == 3, "{ids}");
    let whole = tinbox.tinbox("images -q --no-trunc").ok();
    assert!(whole.lines().zip(ids.lines()).all(|(whole, id)| whole.starts_with(&format!("sha256:{id}"))), "{whole}");
    assert!(Tinbox::without_images().tinbox("images").ok().starts_with("REPOSITORY"));
}

fn each_tag_has_a_line() {
    let tinbox = with_samples();
    tinbox.tinbox("tag web me/web:2").ok();
    let ids = tinbox.tinbox("images -q --filter label=version=1.0").ok();
    assert_eq!(ids.lines().count(), 2, "{ids}");
    assert_eq!(ids.lines().next(), ids.lines().nth(1));
    let more =
        formatted(&tinbox, "images", "{{.VirtualSize}} {{.SharedSize}} {{.UniqueSize}} {{.Containers}}", &["me/web"]);
    assert_eq!(more, "5.43MB N/A N/A N/A\n");
}

fn switches_take_a_value() {
    let tinbox = with_samples();
    for (with, without) in [
        ("images --no-trunc=true -q=1", "images --no-trunc -q"),
        ("images -q=false", "images"),
        ("images -f= --filter=", "images"),
        ("history --human=false --no-trunc=false web", "history --human=false web"),
        ("inspect --size=false --type= web", "inspect web"),
        ("ps --all=t", "ps -a"),
    ] {
        assert_eq!(tinbox.tinbox(with).ok(), tinbox.tinbox(without).ok(), "{with}");
    }
    for arguments in ["rmi -f=true none", "image prune --force=true", "stats --no-stream=true", "rm --force=TRUE none"]
    {
        assert_eq!(tinbox.tinbox(arguments).status, 0, "{arguments}");
    }
    assert!(tinbox.tinbox("rmi -f=perhaps none").fails(125).contains("it is true or false"));
    let refused = "--disable-content-trust=true --pull=never none";
    assert!(tinbox.tinbox(&format!("run {refused}")).fails(125).contains("No such image: none"));
}

fn names_and_filters_choose() {
    let tinbox = with_samples();
    for (arguments, expected) in [
        ("alpine", "alpine"),
        ("alpine:3", "alpine"),
        ("alpine:4", ""),
        ("*", "tools web alpine"),
        ("[tw]*", "tools web"),
        ("docker.io/library/web", "web"),
        ("--filter reference=*:3", "alpine"),
        ("--filter reference=web --filter reference=tools", "tools web"),
        ("--filter label=version", "tools web"),
        ("--filter label=version=1.0", "web"),
        ("--filter label=version --filter label=org.title", "web"),
        ("--filter before=web", "alpine"),
        ("--filter since=alpine:3", "tools web"),
        ("--filter until=2026-02-15", "web alpine"),
        ("--filter dangling=true", ""),
        ("--filter dangling=false", "tools web alpine"),
    ] {
        let named = Ended::of(
            tinbox
                .command(["images", "--format", "{{.Repository}}"])
                .args(arguments.split_whitespace())
                .output()
                .unwrap(),
        );
        assert_eq!(named.ok().split_whitespace().collect::<Vec<_>>().join(" "), expected, "{arguments}");
    }
    for (arguments, why) in [
        ("--filter colour=red", "invalid filter 'colour'"),
        ("--filter dangling", "bad format of filter"),
        ("--filter dangling=maybe", "invalid filter 'dangling=maybe'"),
        ("--filter before=nothing", "No such image: nothing"),
        ("--filter reference=[", "invalid pattern '[': syntax error in pattern"),
        ("[a", "invalid pattern '[a': syntax error in pattern"),
        ("--filter until=yesterday", "invalid filter 'until=yesterday'"),
    ] {
        let error = tinbox.tinbox(&format!("images {arguments}")).fails(1);
        assert!(error.contains(why), "{error}");
    }
}

fn a_template_says_what_is_shown() {
    let tinbox = with_samples();
    let images = |template: &str| formatted(&tinbox, "images", template, &["web"]);
    assert_eq!(images("{{.Repository}}:{{.Tag}} {{upper .Size}}"), "web:latest 5.43MB\n");
    assert_eq!(images(r"table {{.Size}}\t{{.Repository}}"), "SIZE      REPOSITORY\n5.43MB    web\n");
    let json: serde_json::Value = serde_json::from_str(&images("json")).unwrap();
    assert_eq!(
        (&json["Repository"], &json["Tag"], &json["Digest"]),
        (&"web".into(), &"latest".into(), &"<none>".into())
    );
    assert_eq!(images("{{json .Tag}}"), "\"latest\"\n");
    assert_eq!(images(""), tinbox.tinbox("images web").ok());
    let history = formatted(&tinbox, "history", "{{.CreatedBy}}", &["--no-trunc", "web"]);
    assert_eq!(history.lines().nth(1), Some("COPY . / # buildkit"));
}

fn a_bad_template_is_refused_in_dockers_words() {
    let tinbox = with_samples();
    for (verb, template, why) in [
        ("images", "{{.Nothing}}", "map has no entry for key \"Nothing\"\n  help: there are .ID, .Repository"),
        ("images", "{{", "unclosed action"),
        ("images", "{{if .ID}}", "unexpected EOF"),
        ("history", "{{shout .ID}}", "function \"shout\" not defined"),
        ("inspect", "{{.Nothing}}", "map has no entry for key \"Nothing\""),
        ("image inspect --layers", "{{.Id.Nothing}}", "can't evaluate field Nothing in type string"),
    ] {
        let arguments = verb.split_whitespace().chain(["--format", template, "web"]);
        let error = Ended::of(tinbox.command(arguments).output().unwrap()).fails(1);
        assert!(error.starts_with("tinbox: template parsing error: template: "), "{error}");
        assert!(error.contains(why), "{error}");
    }
}

fn an_image_that_lost_its_name_is_dangling() {
    let tinbox = with_samples();
    let id = tinbox.tinbox("images -q web").ok();
    tinbox.tinbox("tag tools web").ok();
    let listed = formatted(&tinbox, "images", "{{.Repository}}:{{.Tag}} {{.ID}}", &["--filter", "dangling=true"]);
    assert_eq!(listed, format!("<none>:<none> {id}"));
    assert_eq!(tinbox.tinbox("images -q tools").ok(), tinbox.tinbox("images -q web").ok());
    let same = formatted(&tinbox, "images", "{{.Repository}}", &["--filter", "since=web"]);
    assert_eq!(same, "");
}

fn the_tree_shows_what_is_shared() {
    let tree = with_samples().tinbox("images --tree").ok();
    pictured("images-tree", &without_ids(&tree));
}

fn history_tells_each_step() {
    let tinbox = with_samples();
    let history = tinbox.tinbox("history --human=false web").ok();
    pictured("images-history", &without_ids(&history));
    let sizes = formatted(&tinbox, "history", "{{.Size}}", &["web"]);
    assert_eq!(sizes, "0B\n3.06kB\n0B\n4.55MB\n0B\n880kB\n");
    assert_eq!(tinbox.tinbox("history -q web").ok().lines().skip(1).collect::<Vec<_>>(), ["<missing>"; 5]);
    assert!(tinbox.tinbox("history nothing").fails(1).contains("No such image: nothing"));
}

fn a_hostile_step_cannot_repaint_the_terminal() {
    let tinbox = Tinbox::without_images();
    let step = serde_json::json!([{ "created_by": "RUN \u{1b}[2J\u{7}\r\nowned\tx" }]);
    Sample { history: step, ..alpine() }.load(&tinbox);
    assert!(tinbox.tinbox("history --no-trunc alpine:3").ok().contains(r"RUN \u001b[2J\u0007"));
    let json = tinbox.tinbox("history --no-trunc --format json alpine:3").ok();
    assert!(json.contains(r"RUN \u001b[2J\u0007\r\nowned\tx"), "{json}");
    let whole = tinbox.tinbox("history alpine:3").ok() + &tinbox.tinbox("images --tree").ok();
    let drawn = tinbox.tinbox("image inspect --layers alpine:3").ok();
    for text in [whole, drawn] {
        assert!(text.contains("RUN ?[2J? owned x"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{7}', '\r', '\t']), "{text:?}");
    }
}

/// Every verb that `--help` lists, of `tinbox` and of each group. One that is a verb of one word under another name has
/// the same help, but for its usage.
fn every_verb_teaches() {
    let tinbox = Tinbox::without_images();
    let help = |words: &str| {
        let words = words.split_whitespace().chain(["--help"]);
        Ended::of(tinbox.command(words).env("COLUMNS", "100").output().unwrap()).ok()
    };
    let without_usage = |help: &str| -> Vec<String> {
        help.lines().filter(|line| !line.starts_with("Usage: ")).map(str::to_owned).collect()
    };
    pictured("help", &help(""));
    let mut taught = Vec::new();
    let (mut words, mut groups) = (listed(&help("")), Vec::new());
    while let Some(word) = words.pop() {
        let text = help(&word);
        assert!(text.contains("\nExample"), "{word}: {text}");
        let verbs = listed(&text);
        groups.extend(verbs.iter().map(|verb| format!("{word} {verb}")));
        taught.push(without_usage(&text));
        pictured(&format!("help-{word}"), &text);
    }
    for verb in groups {
        let text = help(&verb);
        assert!(text.contains("\nExample"), "{verb}: {text}");
        if !taught.contains(&without_usage(&text)) {
            pictured(&format!("help-{}", verb.replace(' ', "-")), &text);
        }
    }
    assert_eq!(tinbox.tinbox("help run").ok(), tinbox.tinbox("run --help").ok());
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}
