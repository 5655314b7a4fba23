//! From the starter over wrong answers to the right one.

use serde_json::Value;

use crate::learner::{Learner, known_answer};

#[test]
fn from_the_starter_to_a_pass() {
    let learner = Learner::new();
    let start = learner.types("start 1.1");
    assert_eq!(start.status, 0);
    assert!(start.out.starts_with("# 1.1 ") && start.out.contains("Your file: mine/1.1-naive-root.rs"));
    let not_done = learner.types("check 1.1");
    insta::assert_snapshot!("starter", not_done.out);
    assert_eq!(not_done.status, 1);

    learner.answers("1.1-naive-root/mutants/no-chdir");
    let wrong = learner.types("check 1.1");
    insta::assert_snapshot!("wrong", wrong.out);
    assert_eq!(wrong.status, 1);

    learner.answers("1.1-naive-root/also-right/chdir-there-first");
    let right = learner.types("check 1.1");
    insta::assert_snapshot!("right", right.out);
    assert_eq!(right.status, 0);

    learner.answers("1.3-enter-root/mutants/old-root-kept");
    let list = learner.types("list").out;
    // An ordinary user has often no cgroup of their own for exercise 3.2.
    let name = if list.contains("blocked here") { "list-without-a-cgroup" } else { "list" };
    insta::assert_snapshot!(name, list);
    learner.writes("1.1-naive-root", "// nothing");
    assert!(learner.types("list").out.contains("changed since it passed"));
}

#[test]
fn the_first_check_makes_the_file() {
    let learner = Learner::new();
    let said = learner.types("check escape");
    assert!(said.out.starts_with("Your file for 1.2 is new: mine/1.2-escape.rs\n"), "{}", said.out);
    assert!(learner.file("1.2-escape.rs").exists());
}

#[test]
fn of_many_only_the_first_failure_is_explained() {
    let learner = Learner::new();
    learner.answers("0.1-namespaces-of/also-right/follow-the-link");
    learner.answers("1.1-naive-root/mutants/prints");
    learner.answers("1.3-enter-root/mutants/chroot");
    let said = learner.types("check");
    insta::assert_snapshot!("all", said.out);
    assert_eq!(said.status, 1);
    let chapter = learner.types("check 0");
    assert_eq!((chapter.status, chapter.out.contains("✘")), (0, false));
}

#[test]
fn a_file_that_does_not_compile_is_shown_and_keeps_nobody_else_from_passing() {
    let learner = Learner::new();
    let broken = known_answer("1.1-naive-root/mutants/no-chdir").replace("chroot(root, \"a new root\")", "chrot(root)");
    learner.writes("1.1-naive-root", &broken);
    learner.answers("1.3-enter-root/also-right/put-old");
    let alone = learner.types("check 1.1");
    assert!(alone.out.starts_with("✘ 1.1 naive_root: it does not compile yet\n\n  error[E0425]"), "{}", alone.out);
    assert!(alone.out.contains("[home]/mine/1.1-naive-root.rs:") && alone.out.contains("chrot(root)"), "{}", alone.out);
    assert_eq!((alone.status, alone.err.as_str()), (1, ""));
    let all = learner.types("check");
    assert!(all.out.contains("✘ 1.1 naive_root: it does not compile yet"), "{}", all.out);
    assert!(all.out.contains("✔ 1.3 enter_root: passed"), "{}", all.out);
}

#[test]
fn a_changed_signature_is_explained_without_the_course_s_own_code() {
    let learner = Learner::new();
    let right = known_answer("1.1-naive-root/also-right/chdir-there-first");
    for (from, to) in [("root: &Path", "root: &str"), ("fn naive_root", "fn native_root"), ("pub fn", "fn")] {
        learner.writes("1.1-naive-root", &right.replace(from, to));
        let said = learner.types("check 1.1");
        assert!(said.out.contains("pub fn naive_root(root: &Path) -> Result<()>"), "{}", said.out);
        assert!(!said.out.contains("answers.rs"), "{}", said.out);
        assert_eq!(said.status, 1);
    }
}

#[test]
fn a_failure_that_is_not_looked_at_is_pointed_out() {
    let learner = Learner::new();
    let careless = known_answer("1.1-naive-root/mutants/chdir-first").replace("?;", ";");
    learner.writes("1.1-naive-root", &careless);
    assert!(learner.types("check 1.1").out.contains("unused `Result` that must be used"));
}

#[test]
fn a_pass_is_lost_when_the_same_file_fails() {
    let learner = Learner::new();
    learner.answers("1.1-naive-root/also-right/chdir-there-first");
    learner.types("check 1.1");
    let wrong = known_answer("1.1-naive-root/mutants/prints");
    learner.writes("1.1-naive-root", &wrong);
    let progress = std::fs::read_to_string(learner.file("progress.json")).expect("the progress");
    let forged = progress.replace(&hash_in(&progress), &sha256(&wrong));
    std::fs::write(learner.file("progress.json"), forged).expect("a forged progress");
    assert!(learner.types("list").out.contains("✔ 1.1"));
    learner.types("check 1.1");
    assert!(learner.types("list").out.contains("● 1.1"));
}

fn hash_in(progress: &str) -> String {
    let progress: Value = serde_json::from_str(progress).expect("JSON");
    progress["exercises"]["1.1"]["passed"].as_str().expect("a pass").to_owned()
}

fn sha256(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_error_is_said_to_be_whose_it_is_and_a_panic_at_which_member() {
    let learner = Learner::new();
    learner.answers("4.1-apply-layer/mutants/unwraps");
    let panicked = learner.types("check 4.1").out;
    assert!(panicked.contains("The first member is `./`."), "{panicked}");
    learner.answers("4.2-stack/mutants/no-upper");
    let afterwards = learner.types("check 4.2").out;
    assert!(afterwards.contains("What was tried afterwards failed:\n    write to the stack: EROFS"), "{afterwards}");
    learner.answers("4.2-stack/mutants/no-comma");
    let returned = learner.types("check 4.2").out;
    assert!(returned.contains("Your function returned this error:\n    mount overlay on"), "{returned}");
}

#[test]
fn the_same_for_programs() {
    let learner = Learner::new();
    learner.answers("0.1-namespaces-of/also-right/follow-the-link");
    learner.answers("1.2-escape/mutants/prints");
    let checked: Value = serde_json::from_str(&learner.types("check --format json").out).expect("JSON");
    let outcomes: Vec<_> = checked.as_array().expect("a list").iter().map(|record| &record["outcome"]).collect();
    assert_eq!(outcomes[..4], ["passed", "not-started", "failed", "not-started"]);
    assert_eq!(checked[2]["diagnosis"]["id"], "nothing-happened");
    assert_eq!(checked[2]["facts"][1]["expected"], "the host's root");
    assert!(checked[2]["printed"].as_str().expect("text").contains("escaped!"));
    let list: Value = serde_json::from_str(&learner.types("list --format json").out).expect("JSON");
    assert_eq!((&list[0]["standing"], &list[2]["standing"]), (&"passed".into(), &"started".into()));
}

#[test]
fn what_this_machine_refuses_is_blocked_and_no_failure() {
    let learner = Learner::new();
    learner.answers("1.1-naive-root/also-right/chdir-there-first");
    let workshop = env!("CARGO_BIN_EXE_workshop");
    let refused = format!("echo 0 >/proc/sys/user/max_mnt_namespaces && exec {workshop} check 1.1");
    let said =
        learner.runs(learner.prepare("unshare".as_ref()).args(["--user", "--map-root-user", "sh", "-c", &refused]));
    assert!(said.out.starts_with("⊘ 1.1 naive_root: blocked"), "{}{}", said.out, said.err);
    assert!(said.out.contains("    sudo sysctl -w user.max_mnt_namespaces="), "{}", said.out);
    assert_eq!(said.status, 2);
    assert!(learner.types("list").out.contains("● 1.1"));
}

#[test]
fn without_a_cgroup_of_one_s_own_only_that_exercise_is_blocked() {
    let learner = Learner::new();
    learner.answers("3.2-confine/also-right/plain-files");
    learner.answers("3.1-settings/mutants/total");
    let read_only = "for dir in $(awk '$3 == \"cgroup2\" {print $2}' /proc/mounts); do \
                     mount -o remount,bind,ro $dir || exit 9; done";
    let refused = format!("{read_only}; exec {} check 3", env!("CARGO_BIN_EXE_workshop"));
    let mut command = learner.prepare("unshare".as_ref());
    let said = learner.runs(command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &refused]));
    assert!(said.out.contains("\n⊘ 3.2 confine: blocked"), "{}{}", said.out, said.err);
    assert!(said.out.ends_with("\n0 of 2 passed, 1 failed, 1 blocked\n"), "{}", said.out);
    // A table that is too wide for two columns.
    let wrong = learner.types("check 3.1");
    insta::assert_snapshot!("wide", wrong.out);
}

#[test]
fn what_only_computes_is_checked_on_any_machine() {
    let learner = Learner::new();
    learner.answers("3.1-settings/also-right/another-order");
    let workshop = env!("CARGO_BIN_EXE_workshop");
    let refused = format!("echo 0 >/proc/sys/user/max_user_namespaces && exec {workshop} check 3.1");
    let said =
        learner.runs(learner.prepare("unshare".as_ref()).args(["--user", "--map-root-user", "sh", "-c", &refused]));
    assert!(said.out.starts_with("✔ 3.1 settings: passed"), "{}{}", said.out, said.err);
}

#[test]
fn there_are_words_for_an_exercise_that_is_not_there() {
    let learner = Learner::new();
    let said = learner.types("check 9.9");
    assert_eq!(said.status, 1);
    assert!(said.err.starts_with("workshop: there is no exercise 9.9; there are 0.1 namespaces_of, "), "{}", said.err);
    assert_eq!(learner.types("hint 1").err, "workshop: a single exercise is needed here: one of 1.1, 1.2, 1.3\n");
}
