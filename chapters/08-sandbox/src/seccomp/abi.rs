//! The tables of system calls that one kernel has.
//!
//! A 64-bit kernel also serves 32-bit programs, through a second table with other numbers: 165 is `mount` for a
//! 64-bit program on x86 and `getresuid` for a 32-bit one. Every 64-bit program may use the second table too
//! (`int 0x80`). So a filter that does not look at the table first is no filter.

/// One table of system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abi {
    /// As Docker's profiles (and libseccomp) call it.
    pub name: &'static str,
    /// As the kernel calls it (`AUDIT_ARCH_*` of linux/audit.h).
    pub audit: u32,
    /// How wide arguments are: 64 or 32 bits. The kernel cuts the arguments of a 32-bit call to 32 bits, but
    /// shows a filter the whole register; so only the lower halves may be compared.
    pub wide: bool,
    /// From which number on there is nothing but calls of the x32 kind, which x86-64 tells apart by this bit in
    /// the number.
    pub x32_from: Option<u32>,
}

/// A machine, as profiles see it.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// As Docker calls it in `includes` and `excludes`.
    pub name: &'static str,
    /// Its tables, the native one first.
    pub abis: &'static [Abi],
}

const X86_64: Abi = Abi { name: "SCMP_ARCH_X86_64", audit: 0xc000_003e, wide: true, x32_from: Some(0x4000_0000) };
const X86: Abi = Abi { name: "SCMP_ARCH_X86", audit: 0x4000_0003, wide: false, x32_from: None };
const AARCH64: Abi = Abi { name: "SCMP_ARCH_AARCH64", audit: 0xc000_00b7, wide: true, x32_from: None };
const ARM: Abi = Abi { name: "SCMP_ARCH_ARM", audit: 0x4000_0028, wide: false, x32_from: None };
const RISCV64: Abi = Abi { name: "SCMP_ARCH_RISCV64", audit: 0xc000_00f3, wide: true, x32_from: None };

/// The machine that Rust calls `target_arch`, if it is known here.
pub const fn machine(target_arch: &str) -> Option<Machine> {
    Some(match target_arch.as_bytes() {
        b"x86_64" => Machine { name: "amd64", abis: &[X86_64, X86] },
        b"aarch64" => Machine { name: "arm64", abis: &[AARCH64, ARM] },
        b"riscv64" => Machine { name: "riscv64", abis: &[RISCV64] },
        _ => return None,
    })
}
