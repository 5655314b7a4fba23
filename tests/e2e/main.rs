//! The runtime from outside, as its users meet it: each test runs the program itself.
//!
//! A test that this machine cannot run is listed as ignored, with what is missing in brackets. It is never
//! counted as passed. The same tests run as root and as an ordinary user.
//!
//! This executable also plays other parts: what is done inside a container ([`acts`]), a Tinbox with a stage that was
//! weakened ([`weak`]), and who removes what belongs to lent ids ([`support::remove_as_asked`]).

mod acts;
mod apparmor;
mod archives;
mod attacks;
mod changes;
mod chapters;
mod classroom;
mod config;
mod explain;
mod images;
mod import;
mod interop;
mod isolation;
mod ladder;
mod lifecycle;
mod limits;
mod namespaces;
mod pause;
mod recovery;
mod registry;
mod run;
mod sandbox;
mod store;
mod support;
mod terminal;
mod weak;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use support::need::Need;

/// A test: its name, what the machine must have for it, and what it does. It fails by panicking.
type Test = (&'static str, &'static [Need], fn());

fn main() -> ExitCode {
    if let Some(status) = acts::play() {
        return status;
    }
    if let Some(stages) = weak::stages() {
        return tinbox::main_with(&stages);
    }
    if let Some(status) = support::remove_as_asked() {
        return status;
    }
    let arguments = Arguments::from_args();
    let interop = interop::tests();
    let ladder = ladder::tests();
    let archives = archives::tests();
    let classroom = classroom::tests();
    let registry = registry::tests();
    let changes = changes::tests();
    let images = images::tests();
    let store = store::tests();
    let groups: [(&str, &[Test]); 23] = [
        ("run", run::TESTS),
        ("lifecycle", lifecycle::TESTS),
        ("terminal", terminal::TESTS),
        ("isolation", isolation::TESTS),
        ("explain", explain::TESTS),
        ("recovery", recovery::TESTS),
        ("store", &store),
        ("config", config::TESTS),
        ("import", import::TESTS),
        ("images", &images),
        ("registry", &registry),
        ("classroom", &classroom),
        ("changes", &changes),
        ("archives", &archives),
        ("interop", &interop),
        ("attacks", attacks::TESTS),
        ("apparmor", apparmor::TESTS),
        ("chapters", chapters::TESTS),
        ("ladder", &ladder),
        ("namespaces", namespaces::TESTS),
        ("limits", limits::TESTS),
        ("pause", pause::TESTS),
        ("sandbox", sandbox::TESTS),
    ];
    let trials = groups.iter().flat_map(|(group, tests)| tests.iter().map(move |test| trial(group, test))).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    support::clean_up();
    conclusion.exit_code()
}

fn trial(group: &str, (name, needs, test): &Test) -> Trial {
    let test = *test;
    let trial = Trial::test(format!("{group}::{name}"), move || std::panic::catch_unwind(test).map_err(|_| panicked()));
    match needs.iter().find_map(|need| need.missing()) {
        Some(missing) => trial.with_kind(format!("blocked: {missing}")).with_ignored_flag(true),
        None => trial,
    }
}

/// The message of the panic is on standard error already.
fn panicked() -> Failed {
    Failed::from("see the panic above")
}
