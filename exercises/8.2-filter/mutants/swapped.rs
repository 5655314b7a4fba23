//! diagnosis: everything-passes
//!
//! Yes and no the wrong way round. Made by those who read the two numbers as "else, then".

use sandbox::seccomp::bpf::{ARCHITECTURE, Action, EPERM, Instruction, NUMBER, answer, jump_if_equal, load};

pub fn filter(architecture: u32, allowed: &[u32]) -> Vec<Instruction> {
    let mut program =
        vec![load(ARCHITECTURE), jump_if_equal(architecture, 1, 0), answer(Action::KillProcess), load(NUMBER)];
    for &number in allowed {
        program.push(jump_if_equal(number, 1, 0));
        program.push(answer(Action::Allow));
    }
    program.push(answer(Action::Errno(EPERM)));
    program
}
