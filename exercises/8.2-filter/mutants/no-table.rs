//! diagnosis: table-unchecked
//!
//! Looks at the number alone. Made by those for whom a system call is its number.

use sandbox::seccomp::bpf::{ARCHITECTURE, Action, EPERM, Instruction, NUMBER, answer, jump_if_equal, load};

pub fn filter(architecture: u32, allowed: &[u32]) -> Vec<Instruction> {
    let mut program = vec![load(NUMBER)];
    for &number in allowed {
        program.push(jump_if_equal(number, 0, 1));
        program.push(answer(Action::Allow));
    }
    program.push(answer(Action::Errno(EPERM)));
    program
}
