//! The subject with every known answer: `mutants EXERCISE NAME`.

use std::process::ExitCode;

mod misbehaving;

include!(concat!(env!("OUT_DIR"), "/answers.rs"));

fn main() -> ExitCode {
    subject::main(|number, name| answer(number, name).or_else(|| misbehaving::answer(name)))
}
