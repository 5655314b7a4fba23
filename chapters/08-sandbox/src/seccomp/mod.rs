//! Seccomp: which system calls a container may make, and with which arguments.
//!
//! Every container on a machine calls the same kernel, and a mistake in any of its calls is a way out of all of them.
//! Linux has some 360 calls, and a usual program needs a few dozen. Seccomp (2005, with filters since 2012) lets a process
//! say: from now on, before each system call of mine, run this little program, and do what it answers. The filter is
//! inherited by every child, survives execve, and cannot be taken off again; more can only be added, and the strictest
//! answer counts. Many a mistake in the kernel was none for containers: the call with the mistake in it was not there.
//!
//! [`bpf`] describes the machine that such a program is written for, [`simple`] writes one by hand, [`simulate`] runs one
//! without a kernel.
//!
//! # What a filter sees
//!
//! The number of the call, the table that the number is of, and the six arguments as plain numbers. Two traps:
//!
//! - **The table first.** The same number is another call for a 32-bit program, and any 64-bit program can call through
//!   the 32-bit table too (`int 0x80`). On x86 there is also x32: 64-bit calls with bit 30 set in the number. [`simple`]
//!   kills what comes through another table; the compiled filters know both tables, and answer x32 as a kernel
//!   that was built without it.
//! - **Compare what the kernel compares.** A filter sees 64 bits of each argument, but the kernel takes a socket's family
//!   as 32. Docker's profile once said "any family but 40". That lets 2³²+40 pass, which the kernel then reads as 40. A
//!   list of what is allowed does not have this problem.
//!
//! # What a filter cannot do
//!
//! It cannot follow a pointer: the memory behind it could change between the check and the call. So no filter sees a
//! path, the flags of clone3 (in a structure), or what socketcall is asked for. Such calls are open or closed as a whole;
//! C libraries that hear ENOSYS for clone3 go back to clone, whose flags can be checked. And it does not know who asks:
//! root or not, with which capabilities. Hence a profile says which capabilities open which calls, and the filter is made
//! for one container.
//!
//! # Profiles
//!
//! Docker writes them in JSON: a default action, and rules with names, conditions on arguments, and circumstances
//! (capabilities, machine, kernel). [`Profile::parse`] reads that format, [`Profile::compile`] makes one filter of it.
//! Names that this machine does not have are left out. Where runc adds something of its own, so does this: calls newer
//! than anything that the profile names answer ENOSYS, so that programs fall back to what is there.
//!
//! The default profile, `profile/default.json`, is Docker's of 2026 sorted by purpose. It differs in this:
//!
//! | difference                                         | reason                                                        |
//! |----------------------------------------------------|---------------------------------------------------------------|
//! | `socketcall` (32-bit x86) answers ENOSYS           | It makes sockets of any family, unseen: AF_ALG, through which a user could overwrite files that are only readable (CVE-2026-31431), would be one `int 0x80` away. Docker leaves this to AppArmor or SELinux, where there is one. The price: 32-bit programs whose C library still uses it have no sockets. |
//! | x32 answers ENOSYS                                 | Docker allows it. Distributions build or boot kernels without it, and no image uses it. |
//! | nothing for s390, POWER, MIPS, LoongArch           | Tinbox is not built for these machines.                       |
//!
//! What is closed in both, and older profiles leave open: AF_ALG and AF_VSOCK sockets, and io_uring, whose requests go past
//! every filter, and which has had more than its share of mistakes.
//!
//! # What it costs
//!
//! A call that the filter allows by its number alone costs next to nothing: Linux remembers such answers
//! ([`compile`](Profile::compile) keeps to what it can remember). To install the filter takes some 0.2 ms, most of it
//! the kernel's translation to machine code. To make it from JSON would take another 0.3 ms at each start, so the filters
//! for the usual sets of capabilities are constants in this program, made by `build/seccomp.rs` with this very compiler.
//!
//! Before Linux 5.16 a filter also switched off some speculation of the processor, which made programs slower; the
//! flag `SECCOMP_FILTER_FLAG_SPEC_ALLOW` in a profile says not to. Later kernels do not by themselves.
//!
//! # What real runtimes do more
//!
//! runc and crun leave compilation to libseccomp, a C library that knows all machines; its filter for this profile has
//! twice as many instructions, for it compares one number after the other unless it is told otherwise. And they can hand
//! calls to an agent that answers in the container's place (`SCMP_ACT_NOTIFY`); a profile that asks for it is refused here.

mod abi;
mod assemble;
pub mod bpf;
mod compile;
mod parse;
mod plan;
mod profile;
pub mod simple;
mod simulate;

use std::borrow::Cow;

use look::kernel::{self, CapabilitySet};

pub use bpf::{Action, Instruction};
pub use parse::{Invalid, MOST_BYTES};
pub use profile::Profile;
pub use simulate::{Data, simulate};

use abi::Abi;
use profile::Subject;

/// What build.rs made: the numbers of calls by name, and the filters of the default profile.
mod built {
    use super::Prepared;
    use super::bpf::Instruction;

    include!(concat!(env!("OUT_DIR"), "/seccomp.rs"));
}

/// The default profile, in Docker's format.
pub const DEFAULT_PROFILE: &str = include_str!("../../profile/default.json");

/// A filter, ready to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    instructions: Cow<'static, [Instruction]>,
    summary: Summary,
    flags: u32,
}

/// What is known about the calls of the machine's own table, for [`Program::summary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Summary {
    /// So many may pass, some perhaps with certain arguments only.
    Allowed(usize),
    /// All may pass but so many, some perhaps with certain arguments only.
    AllBut(usize),
    /// The filter was not made from a profile.
    Unknown,
}

/// A filter of the default profile that was made when this program was built.
struct Prepared {
    /// For whom: those of the capabilities that the profile speaks of.
    capabilities: &'static [&'static str],
    instructions: &'static [Instruction],
    allowed: usize,
}

impl Program {
    /// A filter that was not made from a profile, such as that of [`simple::filter`].
    pub fn new(instructions: Vec<Instruction>) -> Program {
        Program { instructions: instructions.into(), summary: Summary::Unknown, flags: 0 }
    }

    /// The instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// `392 instructions, 309 calls allowed`.
    pub fn summary(&self) -> String {
        let instructions = format!("{} instructions", self.instructions.len());
        match self.summary {
            Summary::Allowed(calls) => format!("{instructions}, {calls} calls allowed"),
            Summary::AllBut(calls) => format!("{instructions}, all calls allowed but {calls}"),
            Summary::Unknown => instructions,
        }
    }
}

impl Profile {
    /// The default profile.
    ///
    /// # Panics
    /// Never: the build fails if it is not a profile.
    pub fn default_profile() -> Profile {
        Profile::parse(DEFAULT_PROFILE.as_bytes()).expect("the build has read it")
    }

    /// The filter of this profile for a container whose bounding set is `capabilities`, on this machine and kernel.
    ///
    /// Fails if the filter would be longer than the kernel takes.
    pub fn compile(&self, capabilities: CapabilitySet) -> Result<Program, Invalid> {
        let holds = |name: &str| holds(capabilities, name);
        let subject = Subject { machine: MACHINE.name, kernel: kernel_version(), holds: &holds };
        let compiled = compile::compile(self, &MACHINE, &subject, &number)?;
        let compile::Compiled { instructions, allowed, refused } = compiled;
        let summary = if self.default.permits() { Summary::AllBut(refused) } else { Summary::Allowed(allowed) };
        Ok(Program { instructions: instructions.into(), summary, flags: self.flags })
    }
}

/// The machine that this program is built for.
const MACHINE: abi::Machine = match abi::machine(std::env::consts::ARCH) {
    Some(machine) => machine,
    None => panic!("build.rs has refused such machines"),
};

/// The filter of the default profile for a container whose bounding set is `capabilities`: one that was made when
/// this program was built, where there is one.
pub fn default_program(capabilities: CapabilitySet) -> Result<Program, Invalid> {
    let held: Vec<&str> = built::CAPABILITIES.iter().copied().filter(|name| holds(capabilities, name)).collect();
    match built::PREPARED.iter().find(|prepared| prepared.capabilities == held) {
        Some(&Prepared { instructions, allowed, .. }) if kernel_version() >= built::KERNEL => {
            Ok(Program { instructions: Cow::Borrowed(instructions), summary: Summary::Allowed(allowed), flags: 0 })
        }
        _ => Profile::default_profile().compile(capabilities),
    }
}

/// Installs `program` for this thread and all that comes of it, for good.
///
/// It counts from the next call on, so it comes last before execve(2): what is still to be done must be allowed by it.
/// It needs either no_new_privs or `CAP_SYS_ADMIN`; a container that is to have neither gets it before its
/// capabilities are dropped.
pub fn install(program: &Program, why: &str) -> look::Result<()> {
    let instruction = |i: &Instruction| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k };
    let filter: Vec<libc::sock_filter> = program.instructions.iter().map(instruction).collect();
    kernel::seccomp(&filter, program.flags, &program.summary(), why)
}

fn holds(capabilities: CapabilitySet, name: &str) -> bool {
    name.strip_prefix("CAP_").is_some_and(|name| capabilities.contains(name))
}

/// The architecture that calls of this machine's own table come in with (`AUDIT_ARCH_*` of linux/audit.h).
pub const ARCHITECTURE: u32 = MACHINE.abis[0].audit;

/// The number of a call in this machine's own table.
pub fn number_of(name: &str) -> Option<u32> {
    number(&MACHINE.abis[0], name)
}

/// The number of a call in a table.
fn number(abi: &Abi, name: &str) -> Option<u32> {
    let table = MACHINE.abis.iter().position(|known| known == abi)?;
    let place = built::CALLS.binary_search_by_key(&name, |(at, len, _)| {
        &built::NAMES[usize::from(*at)..usize::from(*at) + usize::from(*len)]
    });
    Some(built::CALLS[place.ok()?].2[table]).filter(|number| *number != u32::MAX)
}

/// The version of the running kernel, as two numbers; (0, 0) if it has none that can be read.
fn kernel_version() -> (u32, u32) {
    // SAFETY: the structure is arrays of characters, for which zero is valid.
    let mut names: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: uname fills in the structure that it is given.
    unsafe { libc::uname(&raw mut names) };
    let release: String = names.release.iter().map(|byte| *byte as u8 as char).collect();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
