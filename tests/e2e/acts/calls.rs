//! System calls that are ways into the kernel, or out of a container.

use super::{Outcome, answer, errno};

/// Makes one, harmlessly.
pub fn call(name: &str) -> Outcome {
    match name {
        "unshare-user" => nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER).map_err(errno)?,
        "unshare-mount" => nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).map_err(errno)?,
        "clone-user" => clone_user()?,
        "clone3-user" => clone3_user()?,
        "io_uring" => drop(answer(io_uring())?),
        "af-alg" => drop(answer(socket(libc::AF_ALG))?),
        "vsock" => drop(answer(socket(libc::AF_VSOCK))?),
        "keyctl" => drop(answer(keyctl())?),
        "userfaultfd" => drop(answer(userfaultfd())?),
        "bpf" => drop(answer(bpf())?),
        "perf" => drop(answer(perf())?),
        #[cfg(target_arch = "x86_64")]
        "int80-unshare-user" => drop(answer(compat::int80(310, libc::CLONE_NEWUSER as u32, 0, 0))?),
        #[cfg(target_arch = "x86_64")]
        "int80-keyctl" => drop(answer(compat::int80(288, 0, -3_i32 as u32, 1))?),
        // getpid, which nobody forbids.
        #[cfg(target_arch = "x86_64")]
        "int80-getpid" => drop(answer(compat::int80(20, 0, 0, 0))?),
        #[cfg(target_arch = "x86_64")]
        "x32-getpid" => drop(answer(compat::x32(39, 0))?),
        #[cfg(target_arch = "x86_64")]
        "x32-unshare-user" => drop(answer(compat::x32(272, libc::CLONE_NEWUSER as u64))?),
        other => return Err(format!("there is no call {other}")),
    }
    Ok(format!("{name}: done"))
}

fn clone_user() -> Result<(), String> {
    let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
    // SAFETY: without CLONE_VM this is a fork; the process has one thread, and the child only ends.
    let child = answer(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })?;
    end(child)
}

fn clone3_user() -> Result<(), String> {
    // SAFETY: all fields are integers, for which zero is valid.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = libc::CLONE_NEWUSER as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: as above; the structure outlives the call.
    let child =
        answer(unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, std::mem::size_of::<libc::clone_args>()) })?;
    end(child)
}

fn end(child: i64) -> Result<(), String> {
    if child == 0 {
        std::process::exit(0);
    }
    nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(child as i32), None).map(drop).map_err(errno)
}

fn io_uring() -> i64 {
    let mut parameters = [0_u8; 120];
    // SAFETY: the kernel reads and writes one structure of 120 bytes.
    unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr()) }
}

fn socket(family: i32) -> i64 {
    // SAFETY: takes three integers.
    unsafe { libc::socket(family, libc::SOCK_SEQPACKET, 0) }.into()
}

/// `KEYCTL_GET_KEYRING_ID` of the session's keyring, which is the caller's and everybody's in that session.
fn keyctl() -> i64 {
    // SAFETY: takes three integers.
    unsafe { libc::syscall(libc::SYS_keyctl, 0, -3_i64, 1_i64) }
}

fn userfaultfd() -> i64 {
    // SAFETY: takes an integer.
    unsafe { libc::syscall(libc::SYS_userfaultfd, 0) }
}

/// `BPF_MAP_CREATE` of an array with one number.
fn bpf() -> i64 {
    let attributes: [u32; 16] = [2, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: the kernel reads 64 bytes.
    unsafe { libc::syscall(libc::SYS_bpf, 0, attributes.as_ptr(), 64) }
}

/// A counter of the processor clock of this process: type software, event 0.
fn perf() -> i64 {
    let mut attributes = [0_u32; 28];
    (attributes[0], attributes[1]) = (1, 112);
    // SAFETY: the kernel reads 112 bytes.
    unsafe { libc::syscall(libc::SYS_perf_event_open, attributes.as_ptr(), 0, -1, -1, 0) }
}

/// The tables of calls that a 64-bit program is not meant to use, but can.
#[cfg(target_arch = "x86_64")]
mod compat {
    use std::arch::asm;

    /// A call through the 32-bit table.
    pub fn int80(number: u32, first: u32, second: u32, third: u32) -> i64 {
        let answer: i32;
        // SAFETY: none of the calls above takes a pointer. rbx is the compiler's own, and is put back.
        unsafe {
            asm!("push rbx", "mov ebx, {first:e}", "int 0x80", "pop rbx", first = in(reg) first,
                inlateout("eax") number as i32 => answer, in("ecx") second, in("edx") third,
                lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _);
        }
        errno(answer.into())
    }

    /// A call through the table for programs with 32-bit pointers.
    pub fn x32(number: u64, first: u64) -> i64 {
        // SAFETY: none of the calls above takes a pointer.
        unsafe { libc::syscall((number | 0x4000_0000) as i64, first) }
    }

    /// As the C library answers.
    fn errno(answer: i64) -> i64 {
        if (-4095..0).contains(&answer) {
            nix::errno::Errno::from_raw(-answer as i32).set();
            return -1;
        }
        answer
    }
}
