//! The last program before a container's own: it becomes the command that it is given, and does nothing else.
//!
//! It stands between Tinbox and the image. While Tinbox itself is the program that calls execve, a command such as
//! `/proc/self/exe`, or a script whose first line names it, leads to Tinbox's own file on the machine. At the time
//! of the last execve, that path leads to this program, which lies in sealed memory and holds no secret.
//!
//! It gets its work by its arguments: the path, the number of a descriptor, then the arguments of the command. If the
//! command cannot be run, the descriptor takes the number of the error, one byte; it closes when the command begins.
//!
//! There is no library below: it is 1 kB, and starts in the time of a system call.

#![no_std]
#![no_main]

use core::arch::asm;

const F_SETFD: usize = 2;
const FD_CLOEXEC: usize = 1;

#[cfg(target_arch = "x86_64")]
mod machine {
    /// Numbers of write, fcntl, execve, exit_group.
    pub const CALLS: [usize; 4] = [1, 72, 59, 231];
    // The kernel starts a program with its arguments on the stack, and no return address.
    core::arch::global_asm!(".globl _start", "_start:", "mov rdi, rsp", "and rsp, -16", "call {}", sym super::begin);
}

#[cfg(target_arch = "aarch64")]
mod machine {
    /// Numbers of write, fcntl, execve, exit_group.
    pub const CALLS: [usize; 4] = [64, 25, 221, 94];
    core::arch::global_asm!(".globl _start", "_start:", "mov x0, sp", "bl {}", sym super::begin);
}

const WRITE: usize = machine::CALLS[0];
const FCNTL: usize = machine::CALLS[1];
const EXECVE: usize = machine::CALLS[2];
const EXIT: usize = machine::CALLS[3];

/// # Safety
///
/// The arguments are those of the system call with this number.
unsafe fn call(number: usize, first: usize, second: usize, third: usize) -> isize {
    let answer: isize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the kernel changes rcx, r11 and the answer, and nothing else.
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => answer, in("rdi") first, in("rsi") second, in("rdx") third,
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the kernel changes the answer, and nothing else.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") first as isize => answer, in("x1") second, in("x2") third,
            options(nostack));
    }
    answer
}

/// # Safety
///
/// `stack` is what the kernel gave a new program (proc(5), execve(2)): the number of arguments, the arguments, a
/// null pointer, the environment, a null pointer.
unsafe extern "C" fn begin(stack: *const usize) -> ! {
    // SAFETY: by the layout above. As Tinbox starts it there are a path, a number and an argument at least; with less it
    // was started from inside, as `/proc/self/exe`.
    let (report, error) = unsafe {
        let (count, arguments) = (*stack, stack.add(1));
        if count < 3 {
            call(EXIT, 126, 0, 0);
        }
        let (path, environment) = (*arguments, arguments.add(count + 1));
        let report = number(*arguments.add(1) as *const u8);
        call(FCNTL, report, F_SETFD, FD_CLOEXEC);
        (report, call(EXECVE, path, arguments.add(2) as usize, environment as usize))
    };
    let error = (-error) as u8;
    // SAFETY: one byte is read. Exit does not come back.
    unsafe {
        call(WRITE, report, &raw const error as usize, 1);
        loop {
            call(EXIT, 127, 0, 0);
        }
    }
}

/// # Safety
///
/// `digits` are digits, and a zero byte.
unsafe fn number(mut digits: *const u8) -> usize {
    let mut number = 0;
    // SAFETY: as above.
    unsafe {
        while *digits != 0 {
            number = number * 10 + (*digits & 0xf) as usize;
            digits = digits.add(1);
        }
    }
    number
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
