//! diagnosis: x32-slips
//!
//! Takes the bit off before it compares, so that x32 programs work too. Made by those who read half of the note in
//! seccomp(2).

use sandbox::seccomp::bpf::{ARCHITECTURE, Action, EPERM, Instruction, NUMBER, and, answer, jump_if_equal, load};

pub fn filter(architecture: u32, allowed: &[u32]) -> Vec<Instruction> {
    let mut program =
        vec![load(ARCHITECTURE), jump_if_equal(architecture, 1, 0), answer(Action::KillProcess), load(NUMBER)];
    program.push(and(!(1 << 30)));
    for &number in allowed {
        program.push(jump_if_equal(number, 0, 1));
        program.push(answer(Action::Allow));
    }
    program.push(answer(Action::Errno(EPERM)));
    program
}
