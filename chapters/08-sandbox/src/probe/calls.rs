//! System calls by number, through each door that the kernel has.

use nix::errno::Errno;

/// A way into the kernel, with a numbering of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The machine's own.
    Native,
    /// `int 0x80` of a 64-bit process: the table of 32-bit programs.
    #[cfg(target_arch = "x86_64")]
    Int80,
}

/// A call, with the arguments that a filter can look at. The sixth is not among them.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// Through which door.
    pub door: Door,
    /// Its number there.
    pub number: u64,
    /// Its first five arguments.
    pub arguments: [u64; 5],
}

impl Query {
    /// A call of the native table, with zeros.
    pub fn native(number: u64) -> Query {
        Query { door: Door::Native, number, arguments: [0; 5] }
    }
}

/// Makes the call. Answers with what the kernel returned: from -4095 to -1 it is an error.
///
/// # Safety
///
/// The arguments must be good for the call, or no such call must get to the kernel.
pub unsafe fn make(query: &Query, sixth: u64) -> i64 {
    let [a, b, c, d, e] = query.arguments;
    match query.door {
        // SAFETY: the caller's promise.
        Door::Native => unsafe { native(query.number, [a, b, c, d, e, sixth]) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller's promise.
        Door::Int80 => unsafe { int80(query.number as u32, [a, b, c, d, e, sixth].map(|value| value as u32)) },
    }
}

/// The native call.
///
/// # Safety
///
/// As of [`make`].
pub unsafe fn native(number: u64, [a, b, c, d, e, f]: [u64; 6]) -> i64 {
    // SAFETY: the caller's promise.
    match unsafe { libc::syscall(number as libc::c_long, a, b, c, d, e, f) } {
        -1 => -i64::from(Errno::last_raw()),
        result => result,
    }
}

/// The call of a 32-bit program. The compiler keeps rbx and rbp for itself, so they are put back.
#[cfg(target_arch = "x86_64")]
unsafe fn int80(number: u32, [a, b, c, d, e, f]: [u32; 6]) -> i64 {
    let result: u32;
    // SAFETY: the registers are those of the i386 calling convention, and all that is changed is declared or restored.
    unsafe {
        std::arch::asm!(
            "push rbx",
            "push rbp",
            "mov ebx, {first:e}",
            "mov ebp, {sixth:e}",
            "int 0x80",
            "pop rbp",
            "pop rbx",
            first = in(reg) a,
            sixth = in(reg) f,
            inlateout("eax") number => result,
            in("ecx") b,
            in("edx") c,
            in("esi") d,
            in("edi") e,
            out("r8") _,
            out("r9") _,
            out("r10") _,
            out("r11") _,
        );
    }
    i64::from(result as i32)
}

/// `EPERM` for 1, and so on.
pub fn errno_name(number: i32) -> String {
    match Errno::from_raw(number) {
        Errno::UnknownErrno => format!("errno {number}"),
        // The kernel's name for it; the C library has two.
        errno => format!("{errno:?}"),
    }
}
