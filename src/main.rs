//! `tinbox`: the container runtime.

use std::process::ExitCode;

use tinbox::Stages;

fn main() -> ExitCode {
    tinbox::main_with(&Stages::reference())
}
