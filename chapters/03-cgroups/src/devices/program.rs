//! The program that decides about devices in cgroup v2, assembled instruction by instruction.
//!
//! The kernel calls it each time that a process of the cgroup opens or makes a device, with three numbers (`struct
//! bpf_cgroup_dev_ctx`): what is to be done, shifted left by 16, and the kind of device; its major; its minor. The
//! answer is 1 for yes. The instructions are those of eBPF (bpf(2), and the kernel's instruction-set.rst): 8 bytes
//! each, ten registers, jumps forward only. The kernel proves that the program ends and reads nothing else, and
//! translates it to machine code.
//!
//! The program goes through all rules and gathers in a register what those that fit allow. In C it would be
//!
//! ```c
//! allowed = 0;
//! if (kind == BLOCK && major == 8 && minor == 0) allowed |= READ;   // for each rule
//! return (wanted & ~allowed) == 0;
//! ```

use super::{DeviceRule, Kind};

/// The registers: the answer, the pointer to the three numbers, and what is in use here.
const ANSWER: u8 = 0;
const CONTEXT: u8 = 1;
const WANTED: u8 = 2;
const KIND: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;
const ALLOWED: u8 = 6;

/// The operations: class, operation and source in one byte.
pub(crate) const LOAD_32: u8 = 0x61;
pub(crate) const MOVE: u8 = 0xbf;
pub(crate) const SET: u8 = 0xb7;
pub(crate) const OR: u8 = 0x47;
pub(crate) const AND: u8 = 0x57;
pub(crate) const AND_REGISTER: u8 = 0x5f;
pub(crate) const XOR: u8 = 0xa7;
pub(crate) const SHIFT_RIGHT: u8 = 0x77;
pub(crate) const JUMP_IF_ZERO: u8 = 0x15;
pub(crate) const JUMP_UNLESS_EQUAL_32: u8 = 0x56;
pub(crate) const EXIT: u8 = 0x95;

/// All that can be done with a device.
const EVERYTHING: u32 = 7;

/// The program that allows what `rules` allow, together.
pub fn assemble(rules: &[DeviceRule]) -> Vec<u64> {
    let mut program = vec![
        instruction(LOAD_32, WANTED, CONTEXT, 0, 0),
        instruction(LOAD_32, MAJOR, CONTEXT, 4, 0),
        instruction(LOAD_32, MINOR, CONTEXT, 8, 0),
        instruction(MOVE, KIND, WANTED, 0, 0),
        instruction(AND, KIND, 0, 0, 0xffff),
        instruction(SHIFT_RIGHT, WANTED, 0, 0, 16),
        instruction(SET, ALLOWED, 0, 0, 0),
    ];
    for rule in rules {
        let conditions: Vec<(u8, u32)> = [(KIND, kind(rule.kind)), (MAJOR, rule.major), (MINOR, rule.minor)]
            .into_iter()
            .filter_map(|(register, value)| Some((register, value?)))
            .collect();
        for (done, (register, value)) in conditions.iter().enumerate() {
            // Over the conditions that are left, and over the instruction that allows.
            let over = (conditions.len() - done) as i16;
            program.push(instruction(JUMP_UNLESS_EQUAL_32, *register, 0, over, *value));
        }
        program.push(instruction(OR, ALLOWED, 0, 0, rule.access.into()));
    }
    program.extend([
        instruction(XOR, ALLOWED, 0, 0, EVERYTHING),
        instruction(AND_REGISTER, WANTED, ALLOWED, 0, 0),
        instruction(SET, ANSWER, 0, 0, 1),
        instruction(JUMP_IF_ZERO, WANTED, 0, 1, 0),
        instruction(SET, ANSWER, 0, 0, 0),
        instruction(EXIT, 0, 0, 0, 0),
    ]);
    program
}

/// What the kernel calls a kind; `None` for any.
fn kind(kind: Kind) -> Option<u32> {
    match kind {
        Kind::All => None,
        Kind::Block => Some(1),
        Kind::Char => Some(2),
    }
}

/// `struct bpf_insn`: operation, destination and source, offset, constant.
fn instruction(operation: u8, destination: u8, source: u8, offset: i16, constant: u32) -> u64 {
    let registers = if cfg!(target_endian = "little") { source << 4 | destination } else { destination << 4 | source };
    let mut bytes = [operation, registers, 0, 0, 0, 0, 0, 0];
    bytes[2..4].copy_from_slice(&offset.to_ne_bytes());
    bytes[4..8].copy_from_slice(&constant.to_ne_bytes());
    u64::from_ne_bytes(bytes)
}

#[cfg(test)]
#[path = "program_tests.rs"]
mod tests;
