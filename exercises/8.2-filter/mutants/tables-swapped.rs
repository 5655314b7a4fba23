//! diagnosis: tables-swapped
//!
//! The first comparison like all the others: what is equal goes on. Made by those who copy a line.

use sandbox::seccomp::bpf::{ARCHITECTURE, Action, EPERM, Instruction, NUMBER, answer, jump_if_equal, load};

pub fn filter(architecture: u32, allowed: &[u32]) -> Vec<Instruction> {
    let mut program =
        vec![load(ARCHITECTURE), jump_if_equal(architecture, 0, 1), answer(Action::KillProcess), load(NUMBER)];
    for &number in allowed {
        program.push(jump_if_equal(number, 0, 1));
        program.push(answer(Action::Allow));
    }
    program.push(answer(Action::Errno(EPERM)));
    program
}
