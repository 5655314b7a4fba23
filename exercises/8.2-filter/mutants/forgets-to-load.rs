//! diagnosis: number-not-loaded
//!
//! Compares without having loaded the number. Made by those to whom a filter has variables.

use sandbox::seccomp::bpf::{ARCHITECTURE, Action, EPERM, Instruction, answer, jump_if_equal, load};

pub fn filter(architecture: u32, allowed: &[u32]) -> Vec<Instruction> {
    let mut program = vec![load(ARCHITECTURE), jump_if_equal(architecture, 1, 0), answer(Action::KillProcess)];
    for &number in allowed {
        program.push(jump_if_equal(number, 0, 1));
        program.push(answer(Action::Allow));
    }
    program.push(answer(Action::Errno(EPERM)));
    program
}
