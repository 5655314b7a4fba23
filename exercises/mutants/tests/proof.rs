//! The proof of the graders: what is right passes, each known mistake gets its own diagnosis, nothing is left.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use catalog::Exercise;
use grade::{Checked, Facts, Session, Verdict};
use mutants::Known;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// An answer that is waited for longer than a learner would, so that a busy machine is not taken for a hang.
fn start(exercise: &Exercise, name: &str) -> Session {
    let session = Session::start(Path::new(env!("CARGO_BIN_EXE_mutants")), exercise.number, name);
    session.expect("the subject starts").with_patience(Duration::from_secs(120))
}

/// Checks an answer, and that the check left nothing behind.
fn check(exercise: &Exercise, name: &str) -> Checked {
    let expected: Facts = grade::expected(exercise, &repository()).expect("the exercise has facts.snap");
    let checked = grade::check(exercise, start(exercise, name), &expected).expect("the check works");
    assert_eq!(checked.left_behind, [""; 0], "{} {name}", exercise.number);
    checked
}

/// The diagnosis, or what came instead of one.
fn diagnosis(checked: &Checked) -> String {
    match &checked.verdict {
        Verdict::Pass => "pass".into(),
        Verdict::Fail(diagnosis) => diagnosis.id.into(),
        Verdict::Blocked(error) => format!("blocked: {error}"),
    }
}

#[test]
fn the_reference_shows_the_facts_that_are_asked_for() {
    for exercise in &catalog::ALL {
        let facts = grade::facts(exercise, start(exercise, "reference")).expect("the reference can be looked at");
        insta::with_settings!({
            snapshot_path => exercise.folder(&repository()),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!("facts", facts.to_string()) });
    }
}

#[test]
fn the_reference_passes() {
    for exercise in &catalog::ALL {
        assert_eq!(diagnosis(&check(exercise, "reference")), "pass", "{}", exercise.number);
    }
}

#[test]
fn the_starter_is_not_done_yet() {
    for exercise in &catalog::ALL {
        assert_eq!(diagnosis(&check(exercise, "starter")), "not-done-yet", "{}", exercise.number);
    }
}

#[test]
fn each_mistake_gets_its_own_diagnosis() {
    for exercise in &catalog::ALL {
        let mutants: Vec<_> = known(exercise).filter(|known| known.diagnosis != "pass").collect();
        assert!(mutants.len() >= 4, "{} has too few wrong answers", exercise.number);
        let found: Vec<_> = mutants.iter().map(|m| (m.name, diagnosis(&check(exercise, m.name)))).collect();
        let promised: Vec<_> = mutants.iter().map(|m| (m.name, m.diagnosis.to_owned())).collect();
        assert_eq!(found, promised, "{}", exercise.number);
        let different: BTreeSet<_> = found.iter().map(|(_, id)| id).collect();
        assert_eq!(different.len(), mutants.len(), "{}: two mistakes share a diagnosis: {found:?}", exercise.number);
    }
}

#[test]
fn what_is_right_passes_however_it_is_done() {
    for exercise in &catalog::ALL {
        for known in known(exercise).filter(|known| known.diagnosis == "pass") {
            let checked = check(exercise, known.name);
            assert_eq!(diagnosis(&checked), "pass", "{} {}: {:?}", exercise.number, known.name, checked.rows);
        }
    }
}

fn known(exercise: &Exercise) -> impl Iterator<Item = &'static Known> {
    mutants::ALL.iter().filter(|known| known.exercise == exercise.number)
}

#[test]
fn an_answer_that_comes_to_no_good_end_is_told_so() {
    let enter_root = catalog::select("enter_root")[0];
    let found = |name| {
        let checked = check(enter_root, name);
        let Verdict::Fail(diagnosis) = checked.verdict else { panic!("{name}: {:?}", checked.verdict) };
        format!("{}: {}", diagnosis.id, diagnosis.title)
    };
    assert_eq!(found("exits"), "exited: its process exited with status 0");
    assert_eq!(found("is-killed"), "killed: its process was killed by SIGABRT");
    assert_eq!(found("panics").replace(char::is_numeric, "N"), "panicked: it panicked in line NN: no root for me");
    assert_eq!(found("returns-an-error"), "returned-error: it returned an error");
}

#[test]
fn an_answer_that_hangs_is_ended() {
    let enter_root = catalog::select("enter_root")[0];
    let expected = grade::expected(enter_root, &repository()).expect("the exercise has facts.snap");
    let session = start(enter_root, "hangs").with_patience(Duration::from_millis(100));
    let checked = grade::check(enter_root, session, &expected).expect("the check works");
    assert_eq!(diagnosis(&checked), "hung");
    assert_eq!(checked.left_behind, [""; 0]);
}

#[test]
fn an_answer_that_prints_without_end_is_cut_short_and_not_believed() {
    let checked = check(catalog::select("enter_root")[0], "shouts");
    assert_eq!(diagnosis(&checked), "nothing-happened");
    assert!(checked.printed.starts_with("the same line") && checked.printed.len() <= 16 * 1024);
}
