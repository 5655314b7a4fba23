//! A filter run by hand: what the kernel would answer, and the reason why it would not take the filter at all.

use super::bpf::{AND, ANSWER, Action, Instruction, JUMP, LOAD, MOST_INSTRUCTIONS};

/// What a filter sees of a call: `struct seccomp_data` of linux/seccomp.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Data {
    /// The number of the call.
    pub nr: u32,
    /// The table that the number is of (`AUDIT_ARCH_*`).
    pub arch: u32,
    /// Where the call was made.
    pub ip: u64,
    /// The arguments. Those of a 32-bit call may have anything in their upper halves.
    pub args: [u64; 6],
}

impl Data {
    /// The four bytes at `offset`, if that is a place to load from.
    fn word(&self, offset: u32) -> Option<u32> {
        let half = |value: u64| if offset.is_multiple_of(8) { value as u32 } else { (value >> 32) as u32 };
        match offset {
            0 => Some(self.nr),
            4 => Some(self.arch),
            8 | 12 => Some(half(self.ip)),
            16..64 if offset.is_multiple_of(4) => Some(half(self.args[(offset as usize - 16) / 8])),
            _ => None,
        }
    }
}

/// `sizeof(struct seccomp_data)`, which a filter may ask for.
const LENGTH: u32 = 64;

/// What `program` answers for `data`, or why the kernel would refuse to install it.
///
/// All of what seccomp allows of classic BPF is known: loads, the sixteen words of memory, arithmetic, jumps. A
/// run ends after as many steps as there are instructions, since jumps only go forward.
pub fn simulate(program: &[Instruction], data: &Data) -> Result<Action, String> {
    if program.is_empty() || program.len() > MOST_INSTRUCTIONS {
        return Err(format!("a filter has 1 to {MOST_INSTRUCTIONS} instructions, not {}", program.len()));
    }
    let mut machine = Machine { a: 0, x: 0, memory: [0; 16] };
    let mut at = 0;
    loop {
        let Some(instruction) = program.get(at) else {
            return Err(format!("instruction {at} is behind the end: every way must end with an answer"));
        };
        match machine.step(instruction, data) {
            Some(Step::Skip(count)) => at += 1 + count as usize,
            Some(Step::Answer(value)) => return Ok(Action::of_value(value)),
            None => return Err(format!("instruction {at} is not one that seccomp knows: {instruction:?}")),
        }
    }
}

struct Machine {
    a: u32,
    x: u32,
    memory: [u32; 16],
}

enum Step {
    Skip(u32),
    Answer(u32),
}

impl Machine {
    fn step(&mut self, instruction: &Instruction, data: &Data) -> Option<Step> {
        let Instruction { code, jt, jf, k } = *instruction;
        match code {
            LOAD => self.a = data.word(k)?,
            0x80 => self.a = LENGTH,
            0x81 => self.x = LENGTH,
            0x00 => self.a = k,
            0x01 => self.x = k,
            0x60 => self.a = *self.memory.get(k as usize)?,
            0x61 => self.x = *self.memory.get(k as usize)?,
            0x02 => *self.memory.get_mut(k as usize)? = self.a,
            0x03 => *self.memory.get_mut(k as usize)? = self.x,
            0x07 => self.x = self.a,
            0x87 => self.a = self.x,
            0x84 => self.a = self.a.wrapping_neg(),
            ANSWER => return Some(Step::Answer(k)),
            0x16 => return Some(Step::Answer(self.a)),
            JUMP => return Some(Step::Skip(k)),
            _ => {
                let operand = if code & 0x08 == 0 { k } else { self.x };
                return match code & 0x07 {
                    0x04 => self.arithmetic(code & 0xf0, operand).map(|value| {
                        self.a = value;
                        Step::Skip(0)
                    }),
                    0x05 => self.test(code & 0xf0, operand).map(|yes| Step::Skip(if yes { jt } else { jf }.into())),
                    _ => None,
                };
            }
        }
        Some(Step::Skip(0))
    }

    fn arithmetic(&self, operation: u16, operand: u32) -> Option<u32> {
        Some(match operation {
            0x00 => self.a.wrapping_add(operand),
            0x10 => self.a.wrapping_sub(operand),
            0x20 => self.a.wrapping_mul(operand),
            0x30 => self.a.checked_div(operand)?,
            0x40 => self.a | operand,
            0x50 => self.a & operand,
            0x60 => self.a.checked_shl(operand)?,
            0x70 => self.a.checked_shr(operand)?,
            0xa0 => self.a ^ operand,
            _ => return None,
        })
    }

    fn test(&self, operation: u16, operand: u32) -> Option<bool> {
        Some(match operation {
            0x10 => self.a == operand,
            0x20 => self.a > operand,
            0x30 => self.a >= operand,
            0x40 => self.a & operand != 0,
            _ => return None,
        })
    }
}

const _: () = assert!(AND == 0x54, "arithmetic() takes the operation from bits 4 to 7");
