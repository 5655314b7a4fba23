//! Makes what the library would otherwise have to make at each start: the numbers of the system calls by name, and
//! the filters of the default seccomp profile.
//!
//! The compiler of profiles is the library's own, from the same files. The numbers come from the crate `syscalls`,
//! which takes them from the kernel's tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

#[path = "../src/seccomp/abi.rs"]
mod abi;
#[path = "../src/seccomp/assemble.rs"]
mod assemble;
#[path = "../src/seccomp/bpf.rs"]
#[allow(dead_code, reason = "the library uses the rest")]
mod bpf;
#[path = "../src/seccomp/compile.rs"]
#[allow(dead_code, reason = "the library uses the rest")]
mod compile;
#[path = "../src/seccomp/parse.rs"]
mod parse;
#[path = "../src/seccomp/plan.rs"]
mod plan;
#[path = "../src/seccomp/profile.rs"]
mod profile;

use abi::{Abi, Machine};
use compile::compile;
use profile::{Profile, Subject};

const PROFILE: &str = "profile/default.json";

/// The capabilities, as far as the profile speaks of them, of containers whose filters are made ahead: those of a
/// container as it is by default, and of one with `--cap-drop ALL`.
const PREPARED: [&[&str]; 2] = [&["CAP_SYS_CHROOT"], &[]];

/// Writes both to `out/seccomp.rs`.
pub fn generate(out: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed={PROFILE}");
    println!("cargo::rerun-if-changed=src/seccomp");
    let target = std::env::var("CARGO_CFG_TARGET_ARCH").map_err(|error| format!("CARGO_CFG_TARGET_ARCH: {error}"))?;
    let machine = abi::machine(&target).ok_or_else(|| format!("seccomp is not known for {target}: see abi.rs"))?;
    let json = std::fs::read(PROFILE).map_err(|error| format!("read {PROFILE}: {error}"))?;
    let profile = Profile::parse(&json).map_err(|error| format!("{PROFILE}: {error}"))?;
    let output = format!("{}{}", numbers(&machine), filters(&profile, &machine)?);
    let path = out.join("seccomp.rs");
    std::fs::write(&path, output).map_err(|error| format!("write {}: {error}", path.display()))
}

/// The calls of a table, and their numbers.
fn calls(abi: &Abi) -> BTreeMap<&'static str, u32> {
    macro_rules! of {
        ($table:ident) => {
            syscalls::$table::Sysno::iter().map(|call| (call.name(), call.id() as u32)).collect()
        };
    }
    match abi.name {
        "SCMP_ARCH_X86_64" => of!(x86_64),
        "SCMP_ARCH_X86" => of!(x86),
        "SCMP_ARCH_AARCH64" => of!(aarch64),
        "SCMP_ARCH_ARM" => of!(arm),
        "SCMP_ARCH_RISCV64" => of!(riscv64),
        other => panic!("{other}: build.rs does not know where its numbers are"),
    }
}

/// All names in one text, sorted, and for each where it is in the text and its numbers: no pointers, which would
/// have to be set right at every start of the program.
fn numbers(machine: &Machine) -> String {
    let tables: Vec<_> = machine.abis.iter().map(calls).collect();
    let names: std::collections::BTreeSet<&str> = tables.iter().flat_map(|table| table.keys().copied()).collect();
    let (mut text, mut entries) = (String::new(), String::new());
    for name in &names {
        let numbers: Vec<u32> = tables.iter().map(|table| table.get(name).copied().unwrap_or(u32::MAX)).collect();
        writeln!(entries, "    ({}, {}, {numbers:?}),", text.len(), name.len()).expect("a String takes all");
        text.push_str(name);
    }
    format!(
        "pub static NAMES: &str = {text:?};\n\
         /// Where in NAMES, how long, and the number in each table (u32::MAX: not there).\n\
         pub static CALLS: [(u16, u8, [u32; {}]); {}] = [\n{entries}];\n",
        tables.len(),
        names.len(),
    )
}

fn filters(profile: &Profile, machine: &Machine) -> Result<String, String> {
    let tables: Vec<_> = machine.abis.iter().map(|abi| (abi.name, calls(abi))).collect();
    let number = |abi: &Abi, name: &str| tables.iter().find(|(table, _)| *table == abi.name)?.1.get(name).copied();
    let mut prepared = String::new();
    for capabilities in PREPARED {
        let holds = |name: &str| capabilities.contains(&name);
        let subject = Subject { machine: machine.name, kernel: kernel(profile), holds: &holds };
        let compiled = compile(profile, machine, &subject, &number).map_err(|error| format!("{PROFILE}: {error}"))?;
        writeln!(
            prepared,
            "    Prepared {{ capabilities: &{capabilities:?}, allowed: {}, instructions: &[",
            compiled.allowed
        )
        .expect("a String takes all");
        for bpf::Instruction { code, jt, jf, k } in compiled.instructions {
            writeln!(prepared, "        Instruction {{ code: {code}, jt: {jt}, jf: {jf}, k: {k} }},")
                .expect("a String takes all");
        }
        prepared.push_str("    ] },\n");
    }
    let (kernel, capabilities) = (kernel(profile), capabilities(profile));
    Ok(format!(
        "/// The capabilities that the default profile speaks of.\n\
         pub static CAPABILITIES: &[&str] = &{capabilities:?};\n\
         /// From this kernel on the filters below are right.\n\
         pub static KERNEL: (u32, u32) = {kernel:?};\n\
         pub static PREPARED: &[Prepared] = &[\n{prepared}];\n"
    ))
}

/// The capabilities that some rule asks for.
fn capabilities(profile: &Profile) -> Vec<&str> {
    let all =
        profile.rules.iter().flat_map(|rule| rule.includes.capabilities.iter().chain(&rule.excludes.capabilities));
    let mut names: Vec<&str> = all.map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The newest kernel that some rule asks for: newer ones make no difference.
fn kernel(profile: &Profile) -> (u32, u32) {
    let all = profile.rules.iter().flat_map(|rule| [rule.includes.kernel, rule.excludes.kernel]);
    all.flatten().max().unwrap_or_default()
}
