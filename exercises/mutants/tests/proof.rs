//! The proof of the graders: what is right passes, each known mistake gets its own diagnosis, nothing is left.
//!
//! There is a test for every known answer to every exercise. Those of an exercise that this machine cannot check are
//! listed as ignored, with the reason in brackets.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use catalog::Exercise;
use grade::{Checked, Facts, Session, Verdict};
use libtest_mimic::{Arguments, Failed, Trial};
use mutants::Known;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = catalog::ALL.iter().flat_map(about).collect();
    trials.push(trial("an answer that comes to no good end is told so".into(), no_good_end));
    trials.push(trial("an answer that hangs is ended".into(), hangs));
    trials.push(trial("an answer that prints without end is cut short and not believed".into(), shouts));
    trials.push(trial("what an answer leaves behind is found".into(), litters));
    trials.push(trial("what no rule knows is told by the first line that differs".into(), unknown));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Everything about one exercise.
fn about(exercise: &'static Exercise) -> Vec<Trial> {
    let blocked = match diagnosis(&check_against(exercise, "reference", &Facts::default())) {
        why if why.starts_with("blocked: ") => Some(why),
        _ => None,
    };
    let number = exercise.number;
    let mut trials = vec![
        trial(format!("{number} facts"), || shows_the_facts(exercise)),
        trial(format!("{number} reference"), || gets(exercise, "reference", "pass")),
        trial(format!("{number} starter"), || gets(exercise, "starter", "not-done-yet")),
        trial(format!("{number} has mistakes of its own"), || has_mistakes(exercise)),
    ];
    trials.extend(
        known(exercise)
            .map(|known| trial(format!("{number} {}", known.name), || gets(exercise, known.name, known.diagnosis))),
    );
    if exercise.name == "confine" {
        trials.push(trial(format!("{number} a cgroup that stays is found"), a_cgroup_stays));
    }
    match blocked {
        Some(why) => trials.into_iter().map(|trial| trial.with_kind(why.clone()).with_ignored_flag(true)).collect(),
        None => trials,
    }
}

/// A test that fails by panicking, with its words on standard error.
fn trial(name: String, test: impl FnOnce() + Send + 'static) -> Trial {
    let test = std::panic::AssertUnwindSafe(test);
    let run = move || std::panic::catch_unwind(test).map_err(|_| Failed::from("see the panic above"));
    Trial::test(name, run)
}

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
    check_against(exercise, name, &expected)
}

fn check_against(exercise: &Exercise, name: &str, expected: &Facts) -> Checked {
    let checked = grade::check(exercise, start(exercise, name), expected).expect("the check works");
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

fn known(exercise: &Exercise) -> impl Iterator<Item = &'static Known> {
    mutants::ALL.iter().filter(|known| known.exercise == exercise.number)
}

fn shows_the_facts(exercise: &Exercise) {
    let facts = grade::facts(exercise, start(exercise, "reference")).expect("the reference can be looked at");
    insta::with_settings!({
        snapshot_path => exercise.folder(&repository()),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!("facts", facts.to_string()) });
}

fn gets(exercise: &Exercise, name: &str, promised: &str) {
    let checked = check(exercise, name);
    assert_eq!(diagnosis(&checked), promised, "{} {name}: {:#?}", exercise.number, checked.rows);
}

fn has_mistakes(exercise: &Exercise) {
    let mistakes: Vec<_> = known(exercise).map(|known| known.diagnosis).filter(|id| *id != "pass").collect();
    let different: BTreeSet<_> = mistakes.iter().copied().collect();
    assert!(mistakes.len() >= 4, "{} has too few wrong answers", exercise.number);
    assert_eq!(different.len(), mistakes.len(), "{}: two mistakes share a diagnosis", exercise.number);
    let unproven: Vec<_> = grade::diagnoses(exercise).filter(|id| !different.contains(id)).collect();
    assert_eq!(unproven, [""; 0], "{}: diagnoses that no wrong answer gets", exercise.number);
}

fn enter_root() -> &'static Exercise {
    catalog::select("enter_root")[0]
}

fn no_good_end() {
    let found = |name| {
        let checked = check(enter_root(), name);
        let Verdict::Fail(diagnosis) = checked.verdict else { panic!("{name}: {:?}", checked.verdict) };
        format!("{}: {}", diagnosis.id, diagnosis.title)
    };
    assert_eq!(found("exits"), "exited: its process exited with status 0");
    assert_eq!(found("is-killed"), "killed: its process was killed by SIGABRT");
    assert_eq!(found("panics").replace(char::is_numeric, "N"), "panicked: it panicked in line NN: no root for me");
    assert_eq!(found("returns-an-error"), "returned-error: it returned an error");
}

fn hangs() {
    let expected = grade::expected(enter_root(), &repository()).expect("the exercise has facts.snap");
    let session = start(enter_root(), "hangs").with_patience(Duration::from_millis(100));
    let checked = grade::check(enter_root(), session, &expected).expect("the check works");
    assert_eq!(diagnosis(&checked), "hung");
    assert_eq!(checked.left_behind, [""; 0]);
}

fn shouts() {
    let checked = check(enter_root(), "shouts");
    assert_eq!(diagnosis(&checked), "nothing-happened");
    assert!(checked.printed.starts_with("the same line") && checked.printed.len() <= 16 * 1024);
}

fn litters() {
    let settings = catalog::select("settings")[0];
    let expected = grade::expected(settings, &repository()).expect("the exercise has facts.snap");
    let checked = grade::check(settings, start(settings, "litters"), &expected).expect("the check works");
    assert_eq!(diagnosis(&checked), "left-behind");
    let [left] = checked.left_behind.as_slice() else { panic!("{:?}", checked.left_behind) };
    let file = left.strip_prefix("file ").expect("it is a file");
    std::fs::remove_file(file).expect("it is still there");
}

fn a_cgroup_stays() {
    let own = look::cgroups::directories_of(nix::unistd::Pid::this()).expect("the cgroups of this process");
    let own = own.into_iter().find(|(hierarchy, _)| hierarchy == "v2").expect("one of v2").1;
    let token = format!("check-stays-{}", std::process::id());
    let stays = own.join(format!("tinbox-{token}"));
    std::fs::create_dir(&stays).expect("a cgroup");
    let left = grade::audit::left_behind(&token);
    std::fs::remove_dir(&stays).expect("it is still there");
    assert_eq!(left, [format!("cgroup {}", stays.display())]);
}

fn unknown() {
    let checked = check(enter_root(), "misses");
    assert_eq!(diagnosis(&checked), "unexpected", "{:#?}", checked.rows);
    let first = checked.rows.iter().find(|row| !row.agrees()).expect("something differs");
    assert_eq!(first.what, "root");
}
