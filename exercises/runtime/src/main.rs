//! `tinbox`, with the learner's functions in the places of the chapters' own.

use std::process::ExitCode;

include!(concat!(env!("OUT_DIR"), "/stages.rs"));

fn main() -> ExitCode {
    tinbox::main_with(&stages())
}
