//! What limits do to real processes, as root and as an ordinary user.
//!
//! A test that this machine cannot run is listed as ignored, with what is missing in brackets. It is never counted
//! as passed.

mod attacks;
mod devices;
mod groups;
mod program;
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use support::need::Need;

/// A test: its name, what the machine must have for it, and what it does. It fails by panicking.
type Test = (&'static str, &'static [Need], fn());

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let groups: [(&str, &[Test]); 4] = [
        ("attacks", attacks::TESTS),
        ("devices", devices::TESTS),
        ("groups", groups::TESTS),
        ("program", program::TESTS),
    ];
    let trials = groups.iter().flat_map(|(group, tests)| tests.iter().map(move |test| trial(group, test))).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    support::clean_up();
    conclusion.exit_code()
}

fn trial(group: &str, (name, needs, test): &Test) -> Trial {
    let test = *test;
    let trial = Trial::test(format!("{group}::{name}"), move || {
        std::panic::catch_unwind(test).map_err(|_| Failed::from("see the panic above"))
    });
    match needs.iter().find_map(|need| need.missing()) {
        Some(missing) => trial.with_kind(format!("blocked: {missing}")).with_ignored_flag(true),
        None => trial,
    }
}
