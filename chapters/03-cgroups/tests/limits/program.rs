//! `ch03-cgroups` as it is typed.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Test;
use crate::support::need::Need::{Containers, Controller, PureV2, Root, V2};
use crate::support::{CH03, cgroups_named, ch03, ch03_script, ended, id, root};

pub const TESTS: &[Test] = &[
    (
        "it_is_born_in_its_group_and_sees_it_as_the_top",
        &[Containers, V2],
        it_is_born_in_its_group_and_sees_it_as_the_top,
    ),
    ("one_processor_out_of_many", &[Containers, Controller("cpuset")], one_processor_out_of_many),
    ("processor_time_runs_out", &[Containers, Controller("cpu")], processor_time_runs_out),
    ("the_way_of_the_exercise", &[Containers, PureV2], the_way_of_the_exercise),
    ("statuses_are_those_of_docker", &[Containers], statuses_are_those_of_docker),
    ("what_makes_no_sense_is_refused", &[], what_makes_no_sense_is_refused),
    ("each_step_is_told", &[Containers, Controller("pids")], each_step_is_told),
    ("a_user_without_a_place_is_told_what_to_do", &[Root], a_user_without_a_place_is_told_what_to_do),
    ("who_is_in_the_way_moves_aside", &[Root, PureV2], who_is_in_the_way_moves_aside),
    ("a_process_is_shown", &[], a_process_is_shown),
];

fn it_is_born_in_its_group_and_sees_it_as_the_top() {
    let ended = ch03("run ROOT cat /proc/self/cgroup");
    assert!(ended.ok().lines().any(|line| line == "0::/"), "{ended:?}");
    assert!(cgroups_named("ch03-*").iter().all(|path| std::fs::exists(path).unwrap_or(false)));
}

fn one_processor_out_of_many() {
    let ended = ch03("run --cpuset-cpus 0 ROOT cat /proc/self/status");
    assert!(ended.ok().lines().any(|line| line == "Cpus_allowed_list:\t0"), "{ended:?}");
}

fn processor_time_runs_out() {
    let work = "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done";
    let root = root();
    let ended = ch03_script("run --cpus 0.2", &[root.to_str().unwrap(), "sh", "-c", work]);
    assert!(ended.ok().is_empty() && ended.stderr.contains("held back for"), "{ended:?}");
}

fn the_way_of_the_exercise() {
    let ended = ch03("run --confine --pids-limit 20 ROOT fork-bomb 50");
    assert_eq!(
        (ended.status, ended.stdout.as_str()),
        (1, "19 processes, and then fork: EAGAIN: Try again\n"),
        "{ended:?}"
    );
}

fn statuses_are_those_of_docker() {
    let root = root();
    let root = root.to_str().unwrap();
    for (words, status) in [(vec!["sh", "-c", "exit 7"], 7), (vec!["no-such-program"], 127), (vec!["/dev"], 126)] {
        let words: Vec<&str> = [root].into_iter().chain(words).collect();
        let ended = ch03_script("run", &words);
        assert_eq!(ended.status, status, "{ended:?}");
    }
    assert_eq!(ch03("run /no/such/root").status, 125);
}

fn what_makes_no_sense_is_refused() {
    for (words, complaint) in [
        ("--memory 1m", "minimum memory limit allowed is 6MB"),
        ("--memory 64m --memory-swap 32m", "should be larger than the memory limit"),
        ("--cpus 1000000", "range of CPUs is from 0.01 to"),
        ("--cpuset-cpus 9999", "requested CPUs are not available"),
        ("--blkio-weight 5", "range of blkio weight is from 10 to 1000"),
    ] {
        let ended = ch03(&format!("run {words} / true"));
        assert!(ended.status == 125 && ended.stderr.contains(complaint), "{ended:?}");
    }
}

fn each_step_is_told() {
    let ended = ch03("--explain run --pids-limit 20 ROOT sh -c true");
    let first = |needle: &str| ended.stderr.lines().position(|line| line.contains(needle));
    let (limit, birth) = (first("20 to /"), first("clone(2)"));
    assert!(limit.is_some() && birth.is_some() && limit < birth, "{ended:?}");
}

/// Somebody without rights.
const NOBODY: u32 = 65534;

/// The program where everybody can reach it, to be run by somebody without rights.
fn as_nobody(dir: &tempfile::TempDir, words: &str) -> Command {
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = dir.path().join("ch03-cgroups");
    std::fs::copy(CH03, &program).unwrap();
    let mut command = Command::new(program);
    command.args(words.split_whitespace()).uid(NOBODY).gid(NOBODY);
    command
}

fn a_user_without_a_place_is_told_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let ended = ended(&mut as_nobody(&dir, "run --memory 64m / true"));
    assert_eq!(ended.status, 125, "{ended:?}");
    assert!(ended.stderr.contains("limits need a cgroup, and ") && ended.stderr.contains("help: "), "{ended:?}");
}

/// A part of the tree that is somebody's, and goes away with all that was made in it.
struct Part(PathBuf);

impl Part {
    fn new(owner: u32) -> Part {
        let part = Path::new("/sys/fs/cgroup").join(id("part"));
        std::fs::create_dir(&part).unwrap();
        for file in ["", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"] {
            std::os::unix::fs::chown(part.join(file), Some(owner), Some(owner)).unwrap();
        }
        Part(part)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        for empty in ["tinbox", "outside", ""] {
            let _ = std::fs::remove_dir(self.0.join(empty));
        }
    }
}

/// As in a systemd scope, the user's shell is in the very part that it was given: the shell moves one level down.
fn who_is_in_the_way_moves_aside() {
    let part = Part::new(NOBODY);
    let dir = tempfile::tempdir().unwrap();
    let words = format!("run --pids-limit 20 {} fork-bomb 50", root().display());
    let inside = as_nobody(&dir, &words);
    let script = r#"echo $$ > "$0/cgroup.procs"; setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
                    echo "$? from $(cat /proc/self/cgroup)""#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(&part.0).arg(inside.get_program()).args(inside.get_args());
    let ended = ended(&mut shell);
    let outside = part.0.join("outside");
    let path = outside.strip_prefix("/sys/fs/cgroup").unwrap().display();
    let expected = format!("19 processes, and then fork: EAGAIN: Try again\n1 from 0::/{path}\n");
    assert_eq!(ended.stdout, expected, "{ended:?}");
}

fn a_process_is_shown() {
    let own = std::process::id();
    let ended = ch03(&format!("show {own}"));
    let text = ended.ok();
    let paths = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let path = paths.lines().next().unwrap().splitn(3, ':').nth(2).unwrap();
    assert!(text.contains(path) && text.contains("memory") && text.contains("pids"), "{text}");
    assert_eq!(ch03("show 2147483647").status, 125);
}
