//! diagnosis: jumps-too-far
//!
//! One answer for all, at the end. Made by those whose lists are short.

use sandbox::seccomp::bpf::{ARCHITECTURE, Action, EPERM, Instruction, NUMBER, answer, jump_if_equal, load};

pub fn filter(architecture: u32, allowed: &[u32]) -> Vec<Instruction> {
    let mut program =
        vec![load(ARCHITECTURE), jump_if_equal(architecture, 1, 0), answer(Action::KillProcess), load(NUMBER)];
    for (index, &number) in allowed.iter().enumerate() {
        let far = allowed.len() - index;
        program.push(jump_if_equal(number, far as u8, 0));
    }
    program.push(answer(Action::Errno(EPERM)));
    program.push(answer(Action::Allow));
    program
}
