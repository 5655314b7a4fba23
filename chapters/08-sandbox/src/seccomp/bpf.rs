//! The machine that a filter is written for: classic BPF, as far as seccomp(2) takes it.
//!
//! A filter is a list of at most 4096 instructions. Before each system call the kernel runs it from the top, with
//! one register and a small read-only record that describes the call (`struct seccomp_data`):
//!
//! | bytes    | what                                                        |
//! |----------|-------------------------------------------------------------|
//! | 0 to 3   | the number of the call ([`NUMBER`])                         |
//! | 4 to 7   | which table the number is of ([`ARCHITECTURE`])             |
//! | 8 to 15  | where in the program the call was made                      |
//! | 16 to 63 | six arguments of eight bytes ([`low_half`], [`high_half`])  |
//!
//! An instruction loads four of these bytes, compares them and jumps, or answers. Jumps only go forward, so every
//! filter ends. A jump says how many instructions to *skip*, up to 255, for yes and for no.

/// One instruction: `struct sock_filter` of linux/filter.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// How many instructions a test skips if it is true.
    pub jt: u8,
    /// How many it skips if it is not.
    pub jf: u8,
    /// The operand: an offset, a number to compare with, an answer.
    pub k: u32,
}

/// Where the number of the call is.
pub const NUMBER: u32 = 0;
/// Where the table of the number is (`AUDIT_ARCH_*` of linux/audit.h).
pub const ARCHITECTURE: u32 = 4;

/// Where the less significant half of argument `index` (from 0) is. All machines that Tinbox is for are
/// little-endian.
pub const fn low_half(index: u8) -> u32 {
    16 + 8 * index as u32
}

/// Where the more significant half is.
pub const fn high_half(index: u8) -> u32 {
    low_half(index) + 4
}

/// The most instructions the kernel takes (`BPF_MAXINSNS`).
pub const MOST_INSTRUCTIONS: usize = 4096;

/// `BPF_LD | BPF_W | BPF_ABS`.
pub const LOAD: u16 = 0x20;
/// `BPF_ALU | BPF_AND | BPF_K`.
pub const AND: u16 = 0x54;
/// `BPF_JMP | BPF_JA`.
pub const JUMP: u16 = 0x05;
/// `BPF_JMP | BPF_JEQ | BPF_K`.
pub const JUMP_IF_EQUAL: u16 = 0x15;
/// `BPF_JMP | BPF_JGT | BPF_K`.
pub const JUMP_IF_GREATER: u16 = 0x25;
/// `BPF_JMP | BPF_JGE | BPF_K`.
pub const JUMP_IF_AT_LEAST: u16 = 0x35;
/// `BPF_RET | BPF_K`.
pub const ANSWER: u16 = 0x06;

/// Loads the four bytes at `offset` of the record into the register.
pub const fn load(offset: u32) -> Instruction {
    Instruction { code: LOAD, jt: 0, jf: 0, k: offset }
}

/// Keeps only those bits of the register that are in `mask`.
pub const fn and(mask: u32) -> Instruction {
    Instruction { code: AND, jt: 0, jf: 0, k: mask }
}

/// Skips `yes` instructions if the register is `value`, otherwise `no`.
pub const fn jump_if_equal(value: u32, yes: u8, no: u8) -> Instruction {
    Instruction { code: JUMP_IF_EQUAL, jt: yes, jf: no, k: value }
}

/// Skips `yes` instructions if the register is greater than `value` (both without a sign), otherwise `no`.
pub const fn jump_if_greater(value: u32, yes: u8, no: u8) -> Instruction {
    Instruction { code: JUMP_IF_GREATER, jt: yes, jf: no, k: value }
}

/// Skips `yes` instructions if the register is `value` or more (both without a sign), otherwise `no`.
pub const fn jump_if_at_least(value: u32, yes: u8, no: u8) -> Instruction {
    Instruction { code: JUMP_IF_AT_LEAST, jt: yes, jf: no, k: value }
}

/// Skips `count` instructions, which may be more than 255.
pub const fn jump(count: u32) -> Instruction {
    Instruction { code: JUMP, jt: 0, jf: 0, k: count }
}

/// Ends the filter with this answer.
pub const fn answer(action: Action) -> Instruction {
    Instruction { code: ANSWER, jt: 0, jf: 0, k: action.value() }
}

/// What is to become of a call.
///
/// The order is the kernel's: where several filters answer, the strictest answer (the least here) counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// The process dies, as of SIGSYS.
    KillProcess,
    /// The thread dies; the others go on without it.
    KillThread,
    /// The thread gets SIGSYS, with this number in `si_errno`.
    Trap(u16),
    /// The call is not made, and answers with this error number.
    Errno(u16),
    /// A tracer is asked, and told this number; without one the call answers ENOSYS.
    Trace(u16),
    /// The call is made, and written to the audit log.
    Log,
    /// The call is made.
    Allow,
}

impl Action {
    /// As the number that a filter answers with (`SECCOMP_RET_*` of linux/seccomp.h).
    pub const fn value(self) -> u32 {
        match self {
            Action::KillProcess => 0x8000_0000,
            Action::KillThread => 0,
            Action::Trap(data) => 0x0003_0000 | data as u32,
            Action::Errno(errno) => 0x0005_0000 | errno as u32,
            Action::Trace(data) => 0x7ff0_0000 | data as u32,
            Action::Log => 0x7ffc_0000,
            Action::Allow => 0x7fff_0000,
        }
    }

    /// What the kernel makes of a filter's answer. A number that means nothing is a reason to kill.
    pub const fn of_value(value: u32) -> Action {
        let data = value as u16;
        match value & 0xffff_0000 {
            0 => Action::KillThread,
            0x0003_0000 => Action::Trap(data),
            0x0005_0000 => Action::Errno(data),
            0x7ff0_0000 => Action::Trace(data),
            0x7ffc_0000 => Action::Log,
            0x7fff_0000 => Action::Allow,
            _ => Action::KillProcess,
        }
    }

    /// Whether the call can still take place.
    pub const fn permits(self) -> bool {
        matches!(self, Action::Allow | Action::Log | Action::Trace(_))
    }
}

/// `EPERM`, the usual answer to a call that is not allowed.
pub const EPERM: u16 = 1;
/// `ENOSYS`, the answer to a call that this kernel does not have.
pub const ENOSYS: u16 = 38;
