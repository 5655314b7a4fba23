//! `ch00-look` as it is typed.

use assert_cmd::Command;

fn look(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ch00-look"));
    command.args(arguments).env("NO_COLOR", "1");
    command
}

fn output(arguments: &[&str]) -> String {
    String::from_utf8(look(arguments).assert().success().get_output().stdout.clone()).unwrap()
}

#[test]
fn json_is_the_evidence_that_the_library_collects() {
    let me = std::process::id();
    let seen: look::Evidence = serde_json::from_str(&output(&["--json", &me.to_string()])).unwrap();
    let mine = look::Evidence::of(nix::unistd::getpid()).unwrap();
    assert_eq!(seen.pid, me as i32);
    assert_eq!((seen.namespaces, seen.root, seen.mounts), (mine.namespaces, mine.root, mine.mounts));
}

#[test]
fn without_a_pid_it_looks_at_who_started_it() {
    let seen: look::Evidence = serde_json::from_str(&output(&["--json"])).unwrap();
    assert_eq!(seen.pid, std::process::id() as i32);
}

#[test]
fn a_process_shares_everything_with_itself() {
    let me = std::process::id().to_string();
    let comparison: serde_json::Value = serde_json::from_str(&output(&["--compare", "--json", &me, &me])).unwrap();
    let rows = comparison["rows"].as_array().unwrap();
    assert!(rows.len() > 8 && rows.iter().all(|row| row["same"] == true), "{comparison:#}");
    assert!(output(&["--compare", &me, &me]).contains("mnt namespace      shared"));
}

#[test]
fn text_has_a_line_for_each_subject() {
    let text = output(&[]);
    let subjects: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        subjects,
        [
            "process",
            "namespaces",
            "root",
            "directory",
            "mounts",
            "user",
            "capabilities",
            "seccomp",
            "cgroups",
            "descriptors",
            "network"
        ]
    );
}

#[test]
fn mistakes_are_explained() {
    for (arguments, says) in [
        (&["2147483647"][..], "look at process 2147483647: read /proc/2147483647/status: ENOENT"),
        (&["0"], "0 is not in 1..=2147483647"),
        (&["--compare", "1"], "--compare needs two process ids"),
        (&["1", "2"], "two processes are looked at with --compare"),
    ] {
        let assert = look(arguments).assert().failure();
        let complaint = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(complaint.contains(says), "{arguments:?}: {complaint}");
    }
}
