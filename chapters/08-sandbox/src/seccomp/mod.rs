//! Seccomp: which system calls a container may make, and with which arguments.
//!
//! (essay follows)

mod abi;
mod assemble;
pub mod bpf;
mod compile;
mod parse;
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
    allowed: usize,
    flags: u32,
}

/// A filter of the default profile that was made when this program was built.
struct Prepared {
    /// For whom: those of the capabilities that the profile speaks of.
    capabilities: &'static [&'static str],
    instructions: &'static [Instruction],
    allowed: usize,
}

impl From<Invalid> for look::Error {
    fn from(invalid: Invalid) -> look::Error {
        look::Error::Content { object: "the seccomp profile".into(), problem: invalid.to_string() }
    }
}

impl Program {
    /// A filter made elsewhere, such as by [`simple::filter`].
    pub fn new(instructions: Vec<Instruction>) -> Program {
        let allowed = instructions.iter().filter(|i| **i == bpf::answer(Action::Allow)).count();
        Program { instructions: instructions.into(), allowed, flags: 0 }
    }

    /// The instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// How many calls of the machine's own table the profile lets pass, some perhaps with certain arguments only.
    pub fn allowed(&self) -> usize {
        self.allowed
    }

    /// `395 instructions, 360 calls allowed`.
    pub fn summary(&self) -> String {
        format!("{} instructions, {} calls allowed", self.instructions.len(), self.allowed)
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
        let compile::Compiled { instructions, allowed } = compiled;
        Ok(Program { instructions: instructions.into(), allowed, flags: self.flags })
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
            Ok(Program { instructions: Cow::Borrowed(instructions), allowed, flags: 0 })
        }
        _ => Profile::default_profile().compile(capabilities),
    }
}

/// Installs `program` for this thread and all that comes of it, for good.
///
/// It is to be the last thing before execve(2), since it counts from the next call on; and it needs either
/// no_new_privs or `CAP_SYS_ADMIN`.
pub fn install(program: &Program, why: &str) -> look::Result<()> {
    let instruction = |i: &Instruction| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k };
    let filter: Vec<libc::sock_filter> = program.instructions.iter().map(instruction).collect();
    kernel::seccomp(&filter, program.flags, &program.summary(), why)
}

fn holds(capabilities: CapabilitySet, name: &str) -> bool {
    name.strip_prefix("CAP_").is_some_and(|name| capabilities.contains(name))
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
