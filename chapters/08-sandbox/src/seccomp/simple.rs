//! A filter by hand: these calls, and no others.

use super::bpf::{ARCHITECTURE, Action, EPERM, Instruction, NUMBER, answer, jump_if_equal, load};

// ANCHOR: filter
/// A filter that lets a call pass if its number is one of `allowed` and of the table `architecture`
/// (`AUDIT_ARCH_*`).
///
/// Any other number answers EPERM. A call through another table kills the process, for there the same numbers
/// are other calls. `allowed` may hold some 2000 numbers: a filter has at most 4096 instructions.
pub fn filter(architecture: u32, allowed: &[u32]) -> Vec<Instruction> {
    // SOLUTION: filter
    let mut program =
        vec![load(ARCHITECTURE), jump_if_equal(architecture, 1, 0), answer(Action::KillProcess), load(NUMBER)];
    for &number in allowed {
        // Equal, not "no more than": x32 calls come in with the same architecture, and bit 30 set in the number.
        program.push(jump_if_equal(number, 0, 1));
        program.push(answer(Action::Allow));
    }
    program.push(answer(Action::Errno(EPERM)));
    program
    // SOLUTION_END
}
// ANCHOR_END: filter
