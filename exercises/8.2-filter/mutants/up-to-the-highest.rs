//! diagnosis: allows-a-range
//!
//! Allows what is not above the highest number. Made by those who look for a short filter.

use sandbox::seccomp::bpf::{ARCHITECTURE, Action, EPERM, Instruction, NUMBER, answer, jump_if_equal, jump_if_greater, load};

pub fn filter(architecture: u32, allowed: &[u32]) -> Vec<Instruction> {
    let mut program =
        vec![load(ARCHITECTURE), jump_if_equal(architecture, 1, 0), answer(Action::KillProcess), load(NUMBER)];
    let highest = allowed.iter().copied().max();
    if let Some(highest) = highest {
        program.push(jump_if_greater(highest, 1, 0));
        program.push(answer(Action::Allow));
    }
    program.push(answer(Action::Errno(EPERM)));
    program
}
