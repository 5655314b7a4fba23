//! The subject with the learner's answers: `subject EXERCISE yours`.

use std::process::ExitCode;

include!(concat!(env!("OUT_DIR"), "/answers.rs"));

fn main() -> ExitCode {
    subject::main(answer)
}
