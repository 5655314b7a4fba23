//! The command line around the verbs: groups, options before the verb, and the name that Tinbox is called by.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use super::{inspected, with_samples};
use crate::Test;
use crate::support::need::Need::Containers;
use crate::support::{Ended, TINBOX, Tinbox};

pub const TESTS: &[Test] = &[
    ("options_before_the_verb", &[], options_before_the_verb),
    ("called_as_docker_it_speaks_of_docker", &[], called_as_docker_it_speaks_of_docker),
    ("a_repository_is_saved_with_all_its_tags", &[], a_repository_is_saved_with_all_its_tags),
    ("a_reader_who_leaves_ends_save_in_silence", &[], a_reader_who_leaves_ends_save_in_silence),
    ("containers_are_a_group", &[Containers], containers_are_a_group),
    ("a_container_whose_image_lost_its_name", &[Containers], a_container_whose_image_lost_its_name),
    ("a_damaged_record_is_no_container", &[Containers], a_damaged_record_is_no_container),
];

fn options_before_the_verb() {
    let tinbox = with_samples();
    let images = tinbox.tinbox("images").ok();
    for options in
        ["-D", "--debug", "--log-level debug", "-l=debug", "--context default", "-c default", "--config /x -D"]
    {
        assert_eq!(tinbox.tinbox(&format!("{options} images")).ok(), images, "{options}");
    }
    for options in ["-H tcp://example", "--host=unix:///run/docker.sock", "-Htcp://example"] {
        assert!(tinbox.tinbox(&format!("{options} images")).fails(125).contains("no daemon is needed"), "{options}");
    }
    assert!(tinbox.tinbox("--context other images").fails(125).contains("there is only `default`"));
    assert!(tinbox.tinbox("--config").fails(125).contains("flag needs an argument: --config"));
    assert_eq!(tinbox.tinbox("-v").ok(), tinbox.tinbox("--version").ok());
    // Behind the verb they are the verb's.
    assert!(tinbox.tinbox("images -D").fails(125).contains("no such option"));
}

fn called_as_docker_it_speaks_of_docker() {
    let bin = tempfile::tempdir().unwrap();
    let docker = bin.path().join("docker");
    std::os::unix::fs::symlink(TINBOX, &docker).unwrap();
    let docker = |arguments: &str| {
        let mut command = Command::new(&docker);
        command.args(arguments.split_whitespace()).env("TINBOX_ROOT", bin.path().join("state")).env("NO_COLOR", "1");
        Ended::of(command.stdin(Stdio::null()).output().unwrap())
    };
    let version = docker("--version").ok();
    assert!(version.starts_with("Docker version 20.10.") && version.contains(", build tinbox-"), "{version}");
    assert_eq!(docker("rmi none").fails(1), "docker: No such image: none\n");
    assert!(docker("images a b").fails(1).starts_with("docker: \"docker images\" requires at most 1 argument."));
    assert!(docker("run --help").ok().contains("Usage: docker run [OPTIONS] IMAGE"));
}

fn a_repository_is_saved_with_all_its_tags() {
    let tinbox = with_samples();
    for (source, target) in [("web", "me/two:1"), ("tools", "me/two:2")] {
        tinbox.tinbox(&format!("tag {source} {target}")).ok();
    }
    let archive = tinbox.path("saved.tar");
    tinbox.tinbox(&format!("save -o {} me/two", archive.display())).ok();
    let other = Tinbox::without_images();
    let loaded = other.tinbox(&format!("load -i {}", archive.display())).ok();
    let mut lines: Vec<&str> = loaded.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["Loaded image: me/two:1", "Loaded image: me/two:2"]);
}

fn a_reader_who_leaves_ends_save_in_silence() {
    let tinbox = with_samples();
    let mut save = tinbox.command(["save", "tools"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(save.stdout.take());
    let ended = save.wait_with_output().unwrap();
    assert_eq!((ended.status.signal(), ended.stderr.as_slice()), (Some(libc::SIGPIPE), b"".as_slice()));
}

fn containers_are_a_group() {
    let tinbox = Tinbox::new();
    tinbox.tinbox("container run --name one -l keep base true").ok();
    tinbox.tinbox("container run --name two base true").ok();
    let running = tinbox.start("--name three", "echo ready; cat");
    assert_eq!(tinbox.tinbox("container ls -aq").ok(), tinbox.tinbox("ps -aq").ok());
    assert_eq!(tinbox.tinbox("container inspect one").ok(), tinbox.tinbox("inspect one").ok());
    let (one, two) = (inspected(&tinbox, "one"), inspected(&tinbox, "two"));
    assert_eq!(tinbox.tinbox("container prune -f --filter until=1h").ok(), "Total reclaimed space: 0B\n");
    let pruned = tinbox.tinbox("container prune --force --filter label!=keep").ok();
    assert!(pruned.starts_with(&format!("Deleted Containers:\n{}\n\nTotal", two["Id"].as_str().unwrap())), "{pruned}");
    // No answer is no.
    assert!(tinbox.tinbox("container prune").stderr.starts_with("WARNING! This will remove all stopped containers."));
    assert_eq!(tinbox.tinbox("container ls -aq").ok().lines().count(), 2);
    let pruned = tinbox.tinbox("container prune -f").ok();
    assert!(pruned.contains(one["Id"].as_str().unwrap()), "{pruned}");
    assert!(tinbox.tinbox("container prune -f --filter colour=red").fails(1).contains("invalid filter 'colour'"));
    assert_eq!(running.end(), 0);
}

fn a_container_whose_image_lost_its_name() {
    let tinbox = with_samples();
    tinbox.tinbox("run --name one base true").ok();
    let shown = |tinbox: &Tinbox| {
        let table = tinbox.tinbox("ps -a").ok();
        table.lines().nth(1).unwrap().split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(shown(&tinbox), "base");
    let id = tinbox.tinbox("images -q base").ok();
    tinbox.tinbox("tag base other").ok();
    tinbox.tinbox("tag web tinbox/base").ok();
    assert_eq!(shown(&tinbox), id.trim());
    tinbox.tinbox("rm one").ok();
}

fn a_damaged_record_is_no_container() {
    let tinbox = Tinbox::new();
    tinbox.tinbox("run --name one base true").ok();
    let directory = std::fs::read_dir(tinbox.path("containers")).unwrap().next().unwrap().unwrap().path();
    let (path, id) = (directory.join("container.json"), directory.file_name().unwrap().to_str().unwrap().to_owned());
    let record = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, record.replace(&id, "abc")).unwrap();
    assert_eq!(tinbox.tinbox("ps -aq").ok(), "");
    std::fs::write(&path, record).unwrap();
    tinbox.tinbox("rm one").ok();
}
